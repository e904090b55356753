"""A worker's own loop, timed until its stream is empty: all that it does, but for the heartbeat."""

import time
from collections.abc import Sequence

import structlog

from bench.pipeline.watching import Watch, metered
from streams.entry import Entry, Settled
from workers.handler import Handler
from workers.loop import Loop
from workers.standing import Standing
from workers.station import Station


def loop_s(station: Station, handler: Handler, entries: int, watch: Watch = metered) -> float:
    """Seconds in which the loop takes up its lane, settles that many entries, and lays it down.

    The entries are there already.
    """
    standing = Standing()
    _stop_after(handler, entries, standing)
    with watch(station) as metrics:
        loop = Loop(station, handler, standing, metrics, structlog.get_logger())
        started_s = time.perf_counter()
        loop.run()
        return time.perf_counter() - started_s


def _stop_after(handler: Handler, entries: int, standing: Standing) -> None:
    """Have a handler stop its loop once it had so many entries."""
    handle, left = handler.handle, [entries]

    def counted(batch: Sequence[Entry]) -> list[Settled]:
        settled = handle(batch)
        left[0] -= len(batch)
        if left[0] <= 0:
            standing.stopping.set()
        return settled

    handler.handle = counted  # type: ignore[method-assign]
