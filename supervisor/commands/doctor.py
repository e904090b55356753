"""``penstock doctor``: what is wrong with the pipeline and what it stands on, and what to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor.context import Context
from supervisor.exits import Exit

if TYPE_CHECKING:
    from supervisor.doctor.examine import Examined

_STYLES = {"ok": "green", "notice": "cyan", "warning": "yellow", "fault": "bold red"}


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(doctor)


def doctor(
    context: typer.Context,
    strict: Annotated[bool, typer.Option("--strict", help="A warning fails, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check the server and its settings, the topology, groups, consumers, keys, disk and graph.

    Each finding is ok, a notice, a warning or a fault, with what to do about it. It looks, and
    changes nothing. Exit code 1: there is a fault.

    Example: penstock doctor --json
    """
    from supervisor.doctor.examine import examine, worst
    from supervisor.doctor.finding import Level
    from supervisor.progress import progress

    with progress("looking") as told:
        found = []
        for each in examine(Context.of(context)):
            found.append(each)
            told(len(found), None, each.check)
    grave = worst(found)
    if as_json:
        typer.echo(_json(found, grave))
    else:
        _show(found)
    if grave is Level.FAULT or (strict and grave is Level.WARNING):
        raise typer.Exit(Exit.FAILED)


def _show(found: "Sequence[Examined]") -> None:
    from collections import Counter

    from rich.table import Table
    from rich.text import Text

    from supervisor.tables import console, printable

    out = console()
    made = Table.grid(padding=(0, 2, 0, 0))
    before = ""
    for each in found:
        level = each.finding.level
        name, before = ("" if each.check == before else each.check), each.check
        said = Text(printable(each.finding.said))
        if each.finding.remedy:
            said.append(f"\n→ {printable(each.finding.remedy)}", style="dim")
        made.add_row(Text(level.value, style=_STYLES[level.value]), Text(name, style="bold"), said)
    out.print(made)
    counted = Counter(each.finding.level.value for each in found)
    out.print("\n" + ", ".join(f"{counted[level]} {level}" for level in _STYLES if counted[level]))


def _json(found: "Sequence[Examined]", grave: str) -> str:
    import json

    findings: list[dict[str, Any]] = [
        {
            "check": each.check,
            "level": each.finding.level.value,
            "said": each.finding.said,
            "remedy": each.finding.remedy or None,
        }
        for each in found
    ]
    return json.dumps({"worst": str(grave), "findings": findings}, ensure_ascii=False)
