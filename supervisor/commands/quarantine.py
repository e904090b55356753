"""``penstock quarantine`` and ``penstock dead``: look at what was refused; release or drop it.

Both are one family of verbs: the first over the streams that gates reject to, the second over the
stream of dead letters.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor.asking import Yes, ask, refuse_unasked
from supervisor.context import Context

if TYPE_CHECKING:
    from schemas.topology import Topology
    from supervisor.wards import Ward

_SOME_ID = "1732100000000-0"

MOST_SHOWN = 2_000
"""Characters of a payload that ``show`` prints without ``--full``."""

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Uid = Annotated[str, typer.Argument(help="As 'list' shows it, or the entry id alone.")]
Uids = Annotated[
    list[str] | None, typer.Argument(metavar="UID…", help="As 'list' shows them, or entry ids.")
]
All = Annotated[bool, typer.Option("--all", help="Every message that is there now.")]
Rule = Annotated[
    str | None, typer.Option(help="With --all: only those refused by this rule (or worker).")
]


@dataclass(frozen=True, slots=True)
class Family:
    """Which streams of a topology a family of verbs is about, and what its list tells of each.

    ``why`` are the headings beside what every list has, and the property under each; in JSON its
    key.
    """

    about: str
    streams: Callable[["Topology"], list[str]]
    example: str
    why: Mapping[str, str]


def register(app: typer.Typer) -> None:
    """Add both families to the command."""
    for name, family in FAMILIES.items():
        verbs = typer.Typer(no_args_is_help=True, help=family.about, callback=_choosing(family))
        for verb in (list_, show, release, drop):
            called = verb.__name__.rstrip("_")
            given = "-n 20" if verb is list_ else family.example
            text = f"{getdoc(verb)}\n\nExample: penstock {name} {called} {given}"
            verbs.command(called, help=text)(verb)
        app.add_typer(verbs, name=name)


def _choosing(family: Family) -> Callable[[typer.Context], None]:
    def choose(context: typer.Context) -> None:
        context.obj = family

    return choose


def _rejections(topology: "Topology") -> list[str]:
    from supervisor.lookup import rejection_streams

    return rejection_streams(topology)


def _dead_letters(topology: "Topology") -> list[str]:
    return [topology.dead_letters]


FAMILIES = {
    "quarantine": Family(
        "Messages that a gate rejected, and why.",
        _rejections,
        f"SHRINK/{_SOME_ID}",
        {"reason": "rule", "at": "path"},
    ),
    "dead": Family(
        "Messages that a worker could not process.",
        _dead_letters,
        f"DEAD_LETTER/{_SOME_ID}",
        {"worker": "worker", "error": "error", "attempts": "attempts"},
    ),
}


def _ward(context: typer.Context) -> "Ward":
    from supervisor.wards import Ward

    penstock = Context.of(context)
    topology = penstock.outline()
    return Ward(penstock.client(), topology, _family(context).streams(topology))


def _family(context: typer.Context) -> Family:
    family = context.find_object(Family)
    assert family is not None
    return family


def list_(
    context: typer.Context,
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, max=1_000_000_000, help="At most so many.")
    ] = 100,
    as_json: Json = False,
) -> None:
    """List the newest messages, newest first: where from and why, never the payload."""
    _list(_ward(context), count, _family(context).why, as_json)


def show(
    context: typer.Context,
    uid: Uid,
    full: Annotated[bool, typer.Option("--full", help="The whole payload.")] = False,
    as_json: Json = False,
) -> None:
    """Show one message: the reason, its fields, and its payload with nothing left raw."""
    _show(_ward(context), uid, full, as_json)


def release(
    context: typer.Context,
    uids: Uids = None,
    every: All = False,
    rule: Rule = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="JSON|FILE|-",
            help="The mended payload of one message: JSON if it begins with { or [, else a file.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring messages back to the stream they came from, where they are judged anew."""
    mended = _mended(uids or [], every, data)
    ward = _ward(context)
    chosen = _chosen(ward, uids or [], every, rule)
    _each(chosen, lambda uid: _release(ward, uid, mended, as_json))


def drop(
    context: typer.Context,
    uids: Uids = None,
    every: All = False,
    rule: Rule = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove messages for good."""
    _refuse_unclear(uids or [], every, rule)
    refuse_unasked(yes)
    ward = _ward(context)
    chosen = list(_chosen(ward, uids or [], every, rule))
    if chosen:
        ask(f"Drop {len(chosen)} message(s) for good?", yes)
    _each(iter(chosen), lambda uid: _drop(ward, uid, as_json))


def _list(ward: "Ward", count: int, why: Mapping[str, str], as_json: bool) -> None:
    from supervisor.grid import Column, Grid, filled
    from supervisor.tables import console, local_time, printable

    patients = ward.list(count)
    if as_json:
        for patient in patients:
            typer.echo(patient.summary_json(list(why.values())))
        return
    if not patients:
        typer.echo(f"{' and '.join(ward.streams)}: empty.", err=True)
        return
    columns = [Column("uid"), Column("time", 3), Column("stream", 2)]
    columns += [Column(name, rank) for rank, name in zip((0, 1, 4), why, strict=False)]
    rows = [
        [
            patient.uid,
            local_time(patient.at_ms),
            *(printable(str(getattr(patient, n) or "")) for n in ("stream", *why.values())),
        ]
        for patient in patients
    ]
    screen = console(whole=True)
    Grid(*filled(columns, rows), screen.width).show(screen)
    if ward.size() > len(patients):
        typer.echo(f"{len(patients)} of {ward.size()}; -n shows more.", err=True)


def _show(ward: "Ward", uid: str, full: bool, as_json: bool) -> None:
    from supervisor.tables import pairs, printable, shortened

    patient = ward.show(uid)
    if as_json:
        typer.echo(patient.full_json())
        return
    for name, value in patient.reason_lines():
        typer.echo(f"{name:<10} {printable(value)}")
    for field, content in pairs(patient.fields):
        if field != b"data":
            typer.echo(f"{'field':<10} {printable(field)} = {printable(content)}")
    payload = printable(patient.data)
    typer.echo(f"{'payload':<10} {len(patient.data):,} bytes")
    typer.echo(payload if full else shortened(payload, MOST_SHOWN))


def _mended(uids: list[str], every: bool, given: str | None) -> bytes | None:
    if given is None:
        return None
    if every or len(uids) != 1:
        raise typer.BadParameter("--data is the payload of one message; name just one UID")
    payload = _payload(given)
    if not payload.strip():
        raise typer.BadParameter(f"{given!r} is empty, so there is no payload to release")
    return payload.strip()


def _payload(given: str) -> bytes:
    """What was given if it is JSON, else what is in that file, or on standard input for ``-``."""
    if given.lstrip().startswith(("{", "[")):
        return given.encode("utf-8", "surrogateescape")
    return sys.stdin.buffer.read() if given == "-" else Path(given).read_bytes()


def _chosen(ward: "Ward", uids: list[str], every: bool, rule: str | None) -> Iterator[str]:
    """The uids that a call names, or those of all messages that are there now."""
    _refuse_unclear(uids, every, rule)
    return iter(uids) if uids else ward.uids(rule)


def _refuse_unclear(uids: list[str], every: bool, rule: str | None) -> None:
    if bool(uids) == every or (rule is not None and not every):
        raise typer.BadParameter("name the messages: UID…, or --all (and --rule to narrow it)")


def _each(uids: Iterator[str], act: Callable[[str], None]) -> None:
    """Do it for each; one that cannot be stops none of the others, and ends in exit code 1."""
    from streams.errors import EntryRefused, UnknownEntry
    from supervisor.exits import Exit

    done = failed = 0
    for uid in uids:
        try:
            act(uid)
            done += 1
        except (EntryRefused, UnknownEntry) as error:
            typer.echo(f"penstock: {error}", err=True)
            failed += 1
    if not done and not failed:
        typer.echo("There is no such message.", err=True)
    if failed:
        raise typer.Exit(Exit.FAILED)


def _release(ward: "Ward", uid: str, data: bytes | None, as_json: bool) -> None:
    _tell(uid, ward.release(uid, data), "released as", "released_as", as_json)


def _drop(ward: "Ward", uid: str, as_json: bool) -> None:
    ward.drop(uid)
    _tell(uid, "", "dropped", "dropped", as_json)


def _tell(uid: str, new: str, verb: str, key: str, as_json: bool) -> None:
    import json

    said: dict[str, Any] = {"uid": uid, key: new or True}
    typer.echo(json.dumps(said) if as_json else f"{uid}  {verb} {new}".rstrip())
