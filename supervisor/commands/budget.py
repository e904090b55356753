"""``penstock budget``: how many false alarms the pipeline may raise, and what became of them."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor.context import Context

if TYPE_CHECKING:
    from supervisor.grid import Column
    from supervisor.spending import Spent

    Told = tuple[list[Column], list[list[str]]]

_DAY_S = 86_400.0


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(budget)


def budget(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the budget of false alarms: allowed, raised in its span of time, left, and by whom.

    Every alarm counts as if it were false: how many are, only who looks at them can tell.

    Example: penstock budget
    """
    import time

    from supervisor.spending import spent

    penstock = Context.of(context)
    topology = penstock.outline()
    found = spent(penstock.client(), topology, int(time.time() * 1000))
    if as_json:
        typer.echo(json.dumps(_told(found), indent=2))
    else:
        _show(found)


def _told(found: "Spent") -> dict[str, Any]:
    from dataclasses import asdict

    numbers = {"spent": found.spent, "outside": found.outside, "left": found.left}
    return asdict(found) | numbers


def _show(found: "Spent") -> None:
    from supervisor.grid import Grid, filled
    from supervisor.tables import console, folded, printable

    out = console(whole=True)
    for line in _heads(found):
        typer.echo(folded(line, out.width))
    for columns, rows in (_raised(found), _shares(found)):
        if rows:
            typer.echo("")
            Grid(*filled(columns, rows), out.width).show(out)
    if found.uncovered:
        typer.echo("\nNot covered by the budget:")
        for each in found.uncovered:
            told = printable(f"  {each.worker}: {each.detector}: {each.reason}")
            typer.echo(folded(told, out.width))


def _heads(found: "Spent") -> list[str]:
    span = f"{found.window_s / _DAY_S:g} d" if found.window_s >= _DAY_S else f"{found.window_s:g} s"
    if found.allowed is None:
        return [
            "no budget: each detector has its own run_length; the topology file sets one by",
            "  budget: {false_alarms: 1, per: 30d}",
            f"raised     {found.outside} drift alarms, {found.anomalies} anomalies in {span}",
        ]
    over = found.spent - found.allowed
    told = f"; {over:g} more than chance would bring" if over > 0 else ""
    return [
        f"allowed    {found.allowed:g} false alarms in {span}, over all drift workers together",
        f"raised     {found.spent} by detectors that keep to the budget{told}",
        f"left       {found.left:g}, if all of them were false",
        f"beside it  {found.outside} drift alarms of other detectors, {found.anomalies} anomalies",
    ]


def _raised(found: "Spent") -> "Told":
    from supervisor.grid import Column
    from supervisor.tables import local_time, printable

    names = "worker", "stream", "field"
    columns = [*map(Column, names), Column("detector", 2), Column("alarms", right=True)]
    rows = []
    for each in found.raised:
        texts = map(printable, (each.worker, each.stream, each.field, each.detector))
        outside = "" if each.covered or found.allowed is None else "not covered"
        rows.append([*texts, str(each.alarms), local_time(each.last_ms), outside])
    return [*columns, Column("last", 3), Column("", 1)], rows


def _shares(found: "Spent") -> "Told":
    from supervisor.grid import Column
    from supervisor.tables import printable

    figures = "share", "of tests", "watches", "of one, a day"
    columns = [Column("worker"), Column("stream"), *(Column(n, right=True) for n in figures)]
    rows = []
    for each in found.shares:
        names = printable(each.worker), printable(each.stream)
        rate = f"{each.rate_per_s * _DAY_S:.2g}"
        allowed = f"{each.allowed:.3g}", f"{each.tests:.3g}"
        rows.append([*names, *allowed, f"{each.watches:,}", rate])
    return columns, rows
