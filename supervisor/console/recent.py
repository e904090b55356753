"""The newest incidents, looked up at most once a second for all who ask."""

import time
from collections.abc import Callable
from typing import Any

from schemas.findings import AnomalyEvent, Severity, Status
from schemas.topology import Topology
from streams.connection import Client
from streams.observe import ends, newest
from supervisor.console.fresh import Fresh
from supervisor.events import Event, Wanted, wanted_events
from supervisor.lookup import event_streams

KINDS = ("anomaly", "drift")

LOOKED_AT = 1_000
"""Newest events of each stream among which incidents are looked for: a page must not be slow."""

DRIFT_OPEN_S = 86_400.0
"""A drift has no end, for what changed is the new normal; so long it counts as open."""


class Recent:
    """The incidents among the newest events of a topology's event streams."""

    def __init__(
        self,
        topology: Callable[[], Topology],
        client: Client,
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topology = topology
        self._client = client
        self._fresh = Fresh(self._look, now_s)
        self._ends: list[dict[str, str]] | None = None
        self._found: list[Event] = []

    def incidents(self) -> list[Event]:
        """The latest event of each incident, oldest first.

        Raises StreamsError where they cannot be read.
        """
        return self._fresh.seen()

    def attention(self, now_s: float) -> dict[str, Any]:
        """How many of them are open at ``now_s``, and the worst severity of those."""
        severities = [Severity(each.worst) for each in self.incidents() if is_open(each, now_s)]
        worst = max(severities, key=list(Severity).index, default=None)
        return {"open": len(severities), "worst": worst}

    def _look(self, _: float) -> list[Event]:
        """Read the events anew, where a stream has got longer."""
        client, topology, every = self._client, self._topology(), Wanted(frozenset(KINDS))
        streams = event_streams(topology, KINDS)
        now_at = [ends(client, topology, stream) for stream in streams]
        if now_at != self._ends:
            found = [
                event
                for stream in streams
                for event in wanted_events(newest(client, topology, stream, LOOKED_AT), every)
            ]
            self._found = sorted(found, key=lambda event: event.at_ms)
            self._ends = now_at
        return self._found


def is_open(event: Event, now_s: float) -> bool:
    """Whether an anomaly's incident goes on, or a drift is less than a day old."""
    if isinstance(event.finding, AnomalyEvent):
        return event.finding.status is not Status.CLEAR
    return now_s - event.at_ms / 1000 < DRIFT_OPEN_S
