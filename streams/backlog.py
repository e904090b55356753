"""How much waits in a stream, and slowing down whoever publishes more than it can take."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.topology import Topology
from streams.connection import Client, send
from streams.errors import GroupMissing, StreamFull
from streams.groups import group_rows
from streams.keys import Lane, bare

_POLL_S = 0.02


def backlog(client: Client, key: str) -> int:
    """Entries that the slowest group of a stream has not acknowledged; 0 for a missing stream.

    Where nobody reads the stream yet, all of it waits.
    """
    try:
        groups = group_rows(client, key)
    except GroupMissing:
        return 0
    return waiting(groups, send(client, "XLEN", key))


def waiting(groups: Sequence[Mapping[str, Any]], length: int) -> int:
    """The same from a stream's groups (rows of ``XINFO GROUPS``) and its length."""
    # never more than there are: Redis 7.0 counts too many after a failover
    unread = [length if row["lag"] is None else min(row["lag"], length) for row in groups]
    counts = [row["pending"] + lag for row, lag in zip(groups, unread, strict=True)]
    return max(counts, default=length)


def high_waters(topology: Topology) -> dict[str, int]:
    """The streams that have a high-water mark, with it: entries a lane."""
    marks = {name: stream.high_water for name, stream in topology.streams.items()}
    return {name: mark for name, mark in marks.items() if mark is not None}


class Sluice:
    """Holds a publisher back while a stream's backlog is above its mark.

    ``marks`` are entries a lane, by bare stream name; streams without one are never held back.
    """

    def __init__(
        self,
        client: Client,
        marks: Mapping[str, int],
        *,
        sleep: Callable[[float], None] = time.sleep,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._marks = marks
        self._sleep = sleep
        self._now_s = now_s

    def pass_through(self, lane: Lane, stream: str, within_s: float) -> float:
        """Wait until there is room on the lane; return the seconds that took.

        Raises StreamFull when there is none in time.
        """
        mark = self._marks.get(bare(stream))
        if mark is None:
            return 0.0
        started_s = self._now_s()
        key = lane.stream(stream)
        while (count := backlog(self._client, key)) >= mark:
            if self._now_s() - started_s >= within_s:
                raise StreamFull(
                    f"{key} has {count:,} entries waiting, and its high-water mark is {mark:,}; "
                    "its readers do not keep up: see 'penstock status'"
                )
            self._sleep(_POLL_S)
        return self._now_s() - started_s
