"""Tells, once each, when a stream runs full and has room again, and which groups nobody reads."""

from collections.abc import Sequence
from typing import Any

from streams.keys import Lane
from streams.observe import StreamState


class Tide:
    """Remembers what was told, so that only changes are."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self._full: set[str] = set()
        self._strangers: set[tuple[str, str]] = set()

    def look(self, streams: Sequence[StreamState]) -> None:
        """Tell what changed since the last look."""
        full = {stream.name for stream in streams if stream.full}
        for name in sorted(full - self._full):
            self._log.warning("stream_full", stream=name, effect="our publishers are slowed down")
        for name in sorted(self._full - full):
            self._log.info("stream_has_room", stream=name)
        self._full = full
        pinned = {(stream.name, group): stream for stream in streams for group in stream.strangers}
        for name, group in sorted(pinned.keys() - self._strangers):
            self._log.warning(
                "group_without_worker",
                stream=name,
                group=group,
                effect="what it has not acknowledged is never trimmed",
                remedy=unpinning(pinned[name, group], group),
            )
        self._strangers = set(pinned)


def unpinning(stream: StreamState, group: str) -> str:
    """What lets a stream be trimmed that a group keeps which no worker reads."""
    key = Lane(0, stream.lanes).stream(stream.name)
    each = ", and so on each lane" if stream.lanes > 1 else ""
    return f"if nobody reads it any more: XGROUP DESTROY {key} {group}{each}"
