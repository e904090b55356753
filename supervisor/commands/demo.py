"""``penstock demo``: real data through the whole pipeline, and an account of what was found."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor.context import Context

if TYPE_CHECKING:
    from supervisor.demo.play import Settings
    from supervisor.demo.report import Report

START_WITHIN_S = 60.0
"""How long the demo's own pipeline may take to come up."""


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(demo)


def demo(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the figures, as one JSON object.")
    ] = False,
    speed: Annotated[
        float | None, typer.Option(min=1.0, help="Messages a second; as fast as it goes if absent.")
    ] = None,
    records: Annotated[
        int | None, typer.Option(min=1, help="Readings of each sensor; all if absent.", hidden=True)
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the summary into this SVG file.", hidden=True)
    ] = None,
) -> None:
    """Replay 50,365 real readings and 12 broken messages, and show what the pipeline found.

    Uses the running pipeline, else starts one for as long as it takes, on the topology file that
    is here or else the reference one; data stay. Ctrl-C breaks it off; the next 'penstock demo'
    goes on with the same run. Exit code 0 says that all that went in is accounted for.

    Example: penstock demo --speed 500
    """
    from supervisor.demo.play import Settings
    from supervisor.exits import Exit

    started_s = time.monotonic()
    report, running = _played(_with_a_topology(Context.of(context)), Settings(records, speed))
    took_s = time.monotonic() - started_s
    _show(report, running, took_s, as_json)
    if picture is not None:
        _draw(report, running, took_s, picture)
    raise typer.Exit(Exit.OK if report.account.balanced else Exit.FAILED)


def _with_a_topology(penstock: Context) -> Context:
    """The same, on the reference topology where no file was named and none is here."""
    from schemas.topology_file import DEFAULT_FILE
    from supervisor.reference_topology import reference_topology

    if penstock.config != Path(DEFAULT_FILE) or penstock.config.exists():
        return penstock
    return Context(reference_topology())


def _played(penstock: Context, settings: "Settings") -> "tuple[Report, bool]":
    """The report of a run, and whether its pipeline still runs; leaves where it is broken off."""
    from supervisor.demo.publish import Interrupted
    from supervisor.edge import INTERRUPTED

    with _stopping() as stopping:
        try:
            return _play(penstock, stopping, settings)
        except Interrupted as error:
            typer.echo(
                "penstock: the demo was broken off; 'penstock demo' goes on with this run, and "
                "'penstock up' finishes what is in the streams",
                err=True,
            )
            raise typer.Exit(INTERRUPTED) from error


def _tell(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _show(report: "Report", running: bool, took_s: float, as_json: bool) -> None:
    from supervisor.demo.report import to_json
    from supervisor.demo.summary import show
    from supervisor.tables import console

    if as_json:
        typer.echo(to_json(report))
    else:
        show(report, took_s, console(), running=running)


def _draw(report: "Report", running: bool, took_s: float, picture: Path) -> None:
    import io
    import re

    from rich.console import Console

    from supervisor.demo.summary import COLUMNS, show

    paper = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    show(report, took_s, paper, running=running)
    svg = paper.export_svg(title="make demo", unique_id="demo")
    # any monospaced font will do; a picture that fetches one would tell who looks at it
    picture.write_text(re.sub(r"@font-face \{[^}]*\}", "", svg), encoding="utf-8")


def _play(
    penstock: Context, stopping: threading.Event, settings: "Settings"
) -> "tuple[Report, bool]":
    from supervisor.demo.book import alone
    from supervisor.demo.course import course_of
    from supervisor.demo.play import Player
    from supervisor.demo.stage import stage

    topology = penstock.topology()
    course = course_of(topology, penstock.config)
    data_dir = penstock.settings().data_dir
    with (
        alone(data_dir),
        stage(penstock, topology, stopping.wait, START_WITHIN_S, _tell) as place,
    ):
        player = Player(place.client, topology, course, data_dir, stopping.wait, place.check)
        book, again = player.begin(settings.most)
        if again:
            _tell(f"Going on with run {book.run}: {book.published:,} messages were published.")
        return player.play(book, settings), not place.own


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM or a closed terminal sets; a second Ctrl-C ends at once."""
    stopping = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopping  # signals go to the main thread alone
        return

    def stop(number: int, _: Any) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stopping.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
