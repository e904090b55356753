"""``penstock lineage``: verify the graph, hold messages, let old ones go, hand the map on."""

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.asking import Yes, ask, refuse_unasked
from supervisor.commands.lineage_export import export
from supervisor.exits import Exit
from supervisor.lineage_options import checked_uid, opened
from supervisor.lineage_secret import chain_key, opened_with_key
from supervisor.telling import tell

if TYPE_CHECKING:
    from lineage.retention import Ages
    from lineage.verify import Heads

Age = Annotated[str | None, typer.Option("--age", metavar="AGE", help="Of every layer: 30d.")]
Layers = Annotated[
    list[str] | None,
    typer.Option("--layer", metavar="LAYER=AGE", help="Of one: 3=7d; 9=ever keeps it."),
]


def register(family: typer.Typer) -> None:
    """Add the verbs to the family."""
    for verb in (verify, hold, release, holds, retain, export):
        family.command()(verb)


def verify(
    heads: Annotated[
        Path | None,
        typer.Option(
            help="A file outside the store; what it knows is checked, then it is renewed."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Look whether the graph is still what was written; every fault is a line. Exit code 8.

    Without --heads, records cut off at the end of a chain leave no trace.

    Example: penstock lineage verify --heads /mnt/audit/penstock-heads.json
    """
    from dataclasses import asdict

    from lineage import verify as verifying
    from supervisor.progress import progress

    known = _kept(heads)
    with opened() as store, progress("verifying"):
        found = verifying.verify(store, chain_key(), known)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        for fault in found.faults:
            typer.echo(f"{fault.sort}: {fault.where}: {fault.what}")
        typer.echo(
            f"{found.links:,} links, {found.rows:,} messages and activities, "
            f"{found.retained:,} gone by retention: " + ("sound" if found.sound else "NOT sound")
        )
    if not found.sound:
        raise typer.Exit(Exit.LINEAGE)
    if heads is not None:
        heads.write_text(json.dumps(found.heads, indent=2) + "\n", encoding="utf-8")


def hold(
    message: Annotated[str, typer.Argument(metavar="UID", help="Such as L9/1732100000000-0.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the hold.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Keep a message, all it was made from and what was found about it, whatever their age.

    Example: penstock lineage hold L9/1732100000000-0 --reason 'audit 2026-7'
    """
    from lineage import retention

    with opened_with_key() as (store, key):
        retention.hold(store, key, checked_uid(message), _now_ms(), reason)
    tell(f"{message} is held", as_json, uid=message, held=True)


def release(
    message: Annotated[str, typer.Argument(metavar="UID", help="Such as L9/1732100000000-0.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Take a hold off again.

    Example: penstock lineage release L9/1732100000000-0
    """
    from lineage import retention

    with opened_with_key() as (store, key):
        was_held = retention.release(store, key, checked_uid(message), _now_ms())
    said = f"{message} is no longer held" if was_held else f"there is no hold on {message}"
    tell(said, as_json, uid=message, held=False, was_held=was_held)


def holds(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the holds: since when (ms since the epoch), which message, why.

    Example: penstock lineage holds
    """
    with opened() as store:
        for row in store.inspect("holds"):
            said = f"{row['at_ms']}  {row['uid']}  {row['reason']}".rstrip()
            tell(said, as_json, **row)


def retain(
    age: Age = None,
    layer: Layers = None,
    batch: Annotated[int, typer.Option(min=1, max=100_000, help="Messages a transaction.")] = 2000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    yes: Yes = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Remove from the graph what is older than it may be, held messages excepted.

    Run it by a timer, with --yes; a run that is cut short is continued by the next.

    Example: penstock lineage retain --age 30d --layer 3=7d --layer 9=ever
    """
    from lineage import retention
    from supervisor.progress import progress

    ages = _ages(age, layer or [])
    if not dry_run:
        refuse_unasked(yes)
    with opened_with_key() as (store, key):
        if dry_run:
            for where, count in retention.due(store, ages, _now_ms()).items():
                said = f"{'no layer' if where is None else f'layer {where}'}: {count:,} due"
                tell(said, as_json, layer=where, due=count)
            return
        if not yes:
            count = sum(retention.due(store, ages, _now_ms()).values())
            ask(f"Remove {count:,} message(s) from the graph for good?", yes)
        with progress("removing"):
            removed = retention.retain(store, key, ages, _now_ms(), batch=batch)
    tell(f"{removed:,} messages removed", as_json, removed=removed)


def _ages(age: str | None, layers: list[str]) -> "Ages":
    from lineage.retention import Ages
    from supervisor.moments import seconds_of

    by_layer: dict[int, float | None] = {}
    for text in layers:
        number, equals, span = text.partition("=")
        if not equals or not re.fullmatch("[0-9]{1,9}", number):
            raise typer.BadParameter(f"{text!r} is no LAYER=AGE; write 3=7d or 9=ever")
        by_layer[int(number)] = None if span == "ever" else seconds_of(span)
    if age is None and not by_layer:
        raise typer.BadParameter("give --age, or --layer, or both")
    return Ages(None if age is None else seconds_of(age), by_layer)


def _kept(path: Path | None) -> "Heads | None":
    if path is None or not path.exists():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return {lane: (int(n), str(digest)) for lane, (n, digest) in said.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise typer.BadParameter(f"{path} holds no heads of chains; was it changed?") from error


def _now_ms() -> int:
    return int(time.time() * 1000)
