"""``penstock baseline``: what is normal for a field, kept, looked at, compared and traceable."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor.completion import streams
from supervisor.context import Context

if TYPE_CHECKING:
    from schemas.baseline import Baseline, FieldBaseline
    from streams.baselines import Version
    from supervisor.baseline_traffic import Traffic

CERTAINTY = 0.01
"""The probability that ``diff`` calls any field of a stream changed that did not change."""

_MOST_PARENTS = 1024
_JOINED = "\N{NO-BREAK SPACE}"

Where = Annotated[
    str,
    typer.Argument(
        metavar="STREAM(.FIELD)", help="A stream, or one field.", autocompletion=streams
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Note = Annotated[str, typer.Option(help="Why, for those who look at it later.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="SPAN|UID", help="From so long ago on (2h, 7d), or from a message on."),
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    verbs = typer.Typer(no_args_is_help=True, help="What is normal for the fields of a stream.")
    verbs.command("set")(set_)
    for verb in (show, diff, freeze, reset):
        verbs.command()(verb)
    app.add_typer(verbs, name="baseline")


class _Desk:
    """One call's topology, server, target, and the newest version of what is stored.

    Whoever only ``looks`` needs nothing of the author's modules.
    """

    def __init__(
        self, context: typer.Context, where: str, note: str = "", *, looks: bool = False
    ) -> None:
        import time

        from streams.baselines import Baselines
        from supervisor.baselines import By, target
        from supervisor.wards import author

        penstock = Context.of(context)
        self.topology = penstock.outline() if looks else penstock.topology()
        self.target = target(self.topology, where)
        self.client = penstock.client()
        lanes, lineage = self.topology.lanes, self.topology.lineage
        self.stored = Baselines(self.client, lanes, self.target.stream, lineage)
        self.before = self.stored.newest()
        self._author = author(time.time()) | {"worker": "baseline", "worker_kind": "baseline"}
        self.by = By(str(self._author["run"]), int(self._author["at_ms"]), note)

    @property
    def baseline(self) -> "Baseline | None":
        return self.before.baseline if self.before else None

    def retained(self, from_ms: int) -> "Traffic":
        from supervisor.baseline_traffic import retained

        return retained(self.client, self.topology, self.target.stream, from_ms)

    def asked(self, request: Mapping[str, Any], traffic: "Traffic") -> dict[str, dict[str, Any]]:
        """What was found in the traffic, by field; how much was read is shown meanwhile."""
        from supervisor.baseline_process import ask
        from supervisor.progress import progress

        words = f"reading {self.target.stream}"
        with progress(words) as show:
            return ask(request, traffic.told(lambda done: show(done, None, words)))

    def known(self) -> "dict[str, FieldBaseline]":
        from supervisor.baselines import known_fields

        return known_fields(self.baseline, self.target)

    def append(self, made: "Baseline", sources: Sequence[str], as_json: bool) -> None:
        parents = [*([self.before.uid] if self.before else []), *sources][:_MOST_PARENTS]
        uid = self.stored.append(self.before, made, self._author, parents).uid
        if as_json:
            told = {"uid": uid, "version": made.version, "changed": made.changed}
            typer.echo(json.dumps(told))
        else:
            fields = ", ".join(made.changed)
            typer.echo(f"version {made.version}: {made.change} {fields} ({uid})")


def set_(
    context: typer.Context,
    where: Where,
    since: Since = None,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Build baselines from the traffic that is retained, or from the latest part of it.

    It says what is normal from now on, such as after a drift that is to stay. Drift workers learn
    anew what is normal for these fields.

    Example: penstock baseline set L3.measurements.flow --since 2h
    """
    from supervisor.baseline_traffic import patterns_of, start_ms
    from supervisor.baselines import BaselineRefused, after_set, built

    desk = _Desk(context, where, note)
    field, stream = desk.target.field, desk.target.stream
    patterns = patterns_of(desk.topology, stream) if field is None else [field]
    traffic = desk.retained(start_ms(since, desk.by.at_ms))
    found = desk.asked({"do": "build", "patterns": patterns}, traffic)
    if not found:
        raise BaselineRefused(
            f"{traffic.n_entries:,} entries of {stream} have no number at "
            f"{field or 'any watched field'}; 'penstock tail {stream}' shows what they have"
        )
    made = after_set(desk.baseline, desk.target, built(found, traffic.first, traffic.last), desk.by)
    kept = sorted(set(found) - set(made.changed))
    if kept:
        typer.echo(f"left as they are, since they are frozen: {', '.join(kept)}", err=True)
    desk.append(made, traffic.ends(), as_json)


def freeze(
    context: typer.Context,
    where: Where,
    undo: Annotated[bool, typer.Option("--undo", help="Release it again.")] = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Protect baselines from 'set' and 'reset', and what drift workers take for normal.

    After a drift of such a field they go on from what they knew, and do not learn the new values.

    Example: penstock baseline freeze L3.measurements.flow
    """
    from supervisor.baselines import after_freeze

    desk = _Desk(context, where, note)
    made = after_freeze(desk.baseline, desk.target, desk.by, frozen=not undo)
    desk.append(made, [], as_json)


def reset(context: typer.Context, where: Where, note: Note = "", as_json: Json = False) -> None:
    """Remove baselines; the lineage keeps that they were there.

    Example: penstock baseline reset L3.measurements.flow
    """
    from supervisor.baselines import after_reset

    desk = _Desk(context, where, note)
    desk.append(after_reset(desk.baseline, desk.target, desk.by), [], as_json)


def show(
    context: typer.Context,
    where: Where,
    history: Annotated[bool, typer.Option("--history", help="The versions, instead.")] = False,
    as_json: Json = False,
) -> None:
    """Print the quantiles of each baseline, and how it is distributed.

    Example: penstock baseline show L3
    """
    from supervisor.baseline_process import ask

    desk = _Desk(context, where, looks=True)
    if history:
        _show_history(desk.stored.history(), as_json)
        return
    known = desk.known()
    sketches = {name: field.sketch for name, field in known.items()}
    shapes = ask({"do": "describe", "sketches": sketches})
    if as_json:
        told = {name: _told(known[name]) | shape for name, shape in shapes.items()}
        uid = desk.before.uid if desk.before else None
        typer.echo(json.dumps({"uid": uid, "fields": told}, indent=2))
        return
    for name, shape in shapes.items():
        _show_field(name, known[name], shape)


def _told(field: "FieldBaseline") -> dict[str, Any]:
    return field.model_dump(mode="json", exclude={"sketch"})


def _show_history(versions: "Sequence[Version]", as_json: bool) -> None:
    from supervisor.grid import Column, Grid, filled
    from supervisor.tables import console, local_time, printable

    if as_json:
        for v in versions:
            said = v.baseline.model_dump(mode="json", exclude={"fields"})
            typer.echo(json.dumps({"uid": v.uid} | said))
        return
    if not versions:
        typer.echo("There is no version so far.", err=True)
        return
    ranks = {"version": 0, "time": 1, "change": 0, "fields": 2, "by": 3, "note": 4, "uid": 0}
    rows = []
    for v in versions:
        told = v.baseline
        texts = map(printable, (", ".join(told.changed), told.by, told.note, v.uid))
        rows.append([str(told.version), local_time(told.at_ms), told.change, *texts])
    screen = console(whole=True)
    columns = [Column(name, rank) for name, rank in ranks.items()]
    Grid(*filled(columns, rows), screen.width).show(screen)


def _show_field(name: str, field: "FieldBaseline", shape: Mapping[str, Any]) -> None:
    from supervisor.histogram import histogram
    from supervisor.tables import console, folded, printable

    width = console(whole=True).width
    frozen = ", frozen" if field.frozen else ""
    by = " by the worker itself" if field.learnt else ""
    told = f"{field.size:,} values{frozen}, set in version {field.set_in}{by}"
    typer.echo(folded(f"{printable(name)}: {told}", width))
    typer.echo(folded(f"  from {printable(field.first)} to {printable(field.last)}", width))
    quantiles = shape["quantiles"].items()
    pairs = (f"{100 * float(s):g}{_JOINED}%:{_JOINED}{value:.6g}" for s, value in quantiles)
    typer.echo(folded("  " + "   ".join(pairs), width, 2).replace(_JOINED, " "))
    typer.echo(f"  ranks within {100 * shape['rank_error']:.2g} %, with 99 % certainty")
    for line in histogram(shape["edges"], shape["shares"]):
        typer.echo(f"  {line}")
    typer.echo("")


def diff(context: typer.Context, where: Where, since: Since = None, as_json: Json = False) -> None:
    """Compare baselines with the traffic since they were set, or with the latest part of it.

    A field is called changed when that is certain at 1 % over all fields, and not negligible.

    Example: penstock baseline diff L3 --since 2h
    """
    from supervisor.baseline_traffic import start_ms

    desk = _Desk(context, where, looks=True)
    known = desk.known()
    ends = [int(field.last.rpartition("/")[2].partition("-")[0]) for field in known.values()]
    from_ms = max(ends) + 1 if since is None else start_ms(since, desk.by.at_ms)
    sketches = {name: field.sketch for name, field in known.items()}
    request = {"do": "compare", "sketches": sketches, "patterns": list(known), "alpha": CERTAINTY}
    found = desk.asked(request, desk.retained(from_ms))
    absent = [name for name in known if name not in found]
    if absent:
        typer.echo(f"no value since then of: {', '.join(absent)}", err=True)
    if as_json:
        for name, told in found.items():
            typer.echo(json.dumps({"field": name} | told))
    elif found:
        _show_diff(found)


def _show_diff(found: Mapping[str, Mapping[str, Any]]) -> None:
    from supervisor.grid import Column, Grid
    from supervisor.tables import console, printable

    numbers = [Column(name, right=True) for name in ("before", "now", "KS", "PSI", "p")]
    rows = []
    for name, told in found.items():
        sizes = (f"{told['n_before']:,}", f"{told['n_now']:,}")
        tests = (f"{told['distance']:.3f}", f"{told['psi']:.3f}", f"{told['p_value']:.2g}")
        rows.append([printable(name), *sizes, *tests, told["effect"]])
    screen = console(whole=True)
    Grid([Column("field"), *numbers, Column("effect", 1)], rows, screen.width).show(screen)
