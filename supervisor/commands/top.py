"""``penstock top``: streams, workers and open events on one live screen."""

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.top.look import Looks, Seen


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(top)


def top(
    context: typer.Context,
    every: Annotated[str, typer.Option(help="Time between two looks: 1s, 500ms, 10s.")] = "2s",
    once: Annotated[bool, typer.Option("--once", help="Print one screen and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a look.")] = False,
) -> None:
    """Show rates, lags, memory, delays and open events, again and again.

    Rates are those of the last seconds. p99: 99 % of the entries that came since the last look
    were not older when the worker was done with them. Both need two looks; the first has a dash.
    Where no terminal is, and with --json, a look follows the other; q or Ctrl-C ends it. With
    --once rates are those of one second. Exit code 5: with --once or --json, the server was away.

    Example: penstock top --every 5s
    """
    from supervisor.commands.status import overview_of
    from supervisor.moments import seconds_of
    from supervisor.top.look import Looks

    every_s = seconds_of(every, least_s=0.2)
    penstock = Context.of(context)
    topology = penstock.outline()
    with penstock.client() as client:
        looks = Looks(client, topology, lambda: overview_of(penstock), time.time)
        tell = _json_line if as_json else _print
        try:
            if once:
                _once(looks, tell)
            elif as_json or not sys.stdout.isatty():
                _lines(looks, every_s, tell)
            else:
                _live(looks, every_s)
        except KeyboardInterrupt:
            return  # the usual end


def _once(looks: "Looks", tell: "Callable[[Seen], None]") -> None:
    from supervisor.exits import Exit

    looks.look()
    time.sleep(1.0)
    seen = looks.look()
    tell(seen)
    if not seen.overview.server.reachable:
        raise typer.Exit(Exit.SERVER)


def _lines(looks: "Looks", every_s: float, tell: "Callable[[Seen], None]") -> None:
    while True:
        began_s = time.monotonic()
        tell(looks.look())
        sys.stdout.flush()
        time.sleep(max(0.0, began_s + every_s - time.monotonic()))


def _live(looks: "Looks", every_s: float) -> None:
    from supervisor.tables import console
    from supervisor.top.draw import View, screenful
    from supervisor.top.screen import Keyboard, Screen

    out, keyboard, view = console(), Keyboard(), View()
    screen = Screen(out)
    with out.screen(hide_cursor=True), keyboard.listening():
        while True:
            began_s, seen, key = time.monotonic(), looks.look(), ""
            while key != "q":
                screen.show(screenful(seen, view, out.width, out.height))
                key = keyboard.wait(began_s + every_s - time.monotonic())
                view = view.after(key, len(seen.streams))
                if not key:
                    break
            if key == "q":
                return


def _print(seen: "Seen") -> None:
    from supervisor.tables import console
    from supervisor.top.draw import View, screenful

    out = console()
    out.print(screenful(seen, View(), out.width, None, keys=False))


def _json_line(seen: "Seen") -> None:
    import json
    from dataclasses import asdict

    said = {
        "at_s": round(seen.at_s, 3),
        "ready": seen.overview.ready,
        "server": seen.overview.server.model_dump(mode="json"),
        "streams": [asdict(row) for row in seen.streams],
        "workers": [asdict(row) for row in seen.workers],
        "events": [json.loads(event.json()) for event in seen.events],
    }
    typer.echo(json.dumps(said, ensure_ascii=False))
