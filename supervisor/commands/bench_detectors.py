"""``penstock bench-detectors``: every detector on the traffic that a stream has retained."""

from collections.abc import Iterator
from typing import Annotated

import typer

from supervisor.completion import streams
from supervisor.context import Context


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(bench_detectors)


def bench_detectors(
    context: typer.Context,
    stream: Annotated[
        str, typer.Argument(help="The stream's name in the topology.", autocompletion=streams)
    ],
    since: Annotated[
        str, typer.Option(help="Messages of this span before the newest one: 90m, 24h, 7d.")
    ] = "24h",
    most: Annotated[
        int, typer.Option(min=1_000, max=1_000_000, help="The newest so many of them, at most.")
    ] = 50_000,
    alarms_per_day: Annotated[
        float,
        typer.Option(min=0.0, max=1e9, help="Recommend none that raises more on this traffic."),
    ] = 20.0,
    messages_per_day: Annotated[
        float | None,
        typer.Option(min=1.0, max=1e12, help="The real rate, where the stream's times lie."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Try only those whose name begins so; give it again for more."),
    ] = None,
    shifts: Annotated[int, typer.Option(min=4, max=1_000, help="Shifts of each size.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of where the shifts begin.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Try every detector on a stream's retained messages, and recommend one of either kind.

    Tells the alarms a day, what is found of shifts of the mean that are injected, how soon, and
    the processor time for a message, beside one that always fires and one that never does. The
    pipeline is left alone: messages are read, and no worker takes part. The same messages and
    seed give the same figures, but for the processor time.

    Example: penstock bench-detectors L3 --since 24h
    """
    import json

    from supervisor.lookup import known_stream
    from supervisor.moments import seconds_of
    from supervisor.progress import progress
    from supervisor.tables import console
    from supervisor.trial.messages import Asked, messages, request
    from supervisor.trial.process import hold
    from supervisor.trial.show import show

    penstock = Context.of(context)
    topology = penstock.topology()
    known_stream(topology, stream)
    chosen = tuple(only or ())
    asked = Asked(
        stream, seconds_of(since), most, shifts, seed, alarms_per_day, messages_per_day, chosen
    )
    lines = _some(messages(penstock.client(), topology, asked), stream)
    with progress() as told:
        report = hold(request(topology, asked), lines, told)
    if as_json:
        typer.echo(json.dumps({"stream": stream, **report}, ensure_ascii=False))
    else:
        show(stream, report, console(whole=True))


def _some(lines: Iterator[bytes], stream: str) -> Iterator[bytes]:
    """The lines, if there are any.

    Raises NoTrial where there are none.
    """
    from itertools import chain

    from supervisor.trial.process import NoTrial

    first = next(lines, None)
    if first is None:
        raise NoTrial(f"the stream {stream!r} retains no message; see 'penstock status'")
    return chain((first,), lines)
