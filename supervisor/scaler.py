"""Asks for more or fewer processes of the workers whose number is a range."""

from collections.abc import Collection, Mapping, Sequence

from schemas.topology import Topology
from schemas.topology_graph import exclusive, reads
from streams.observe import StreamState
from supervisor.scaling import Decision, Pace, Seen, decide


class Scaler:
    """Remembers what waited for each worker.

    Those that own their lanes alone are left out: their number follows the lanes, not the lag.
    """

    def __init__(self) -> None:
        self._paces: dict[str, Pace] = {}

    def look(
        self,
        now_s: float,
        topology: Topology,
        wanted: Mapping[str, int],
        by_hand: Collection[str],
        streams: Sequence[StreamState],
    ) -> dict[str, Decision]:
        """The workers that should have another number of processes than ``wanted``."""
        found: dict[str, Decision] = {}
        for worker, processes in wanted.items():
            settings = topology.workers[worker]
            lag = lag_of(topology, worker, streams)
            if settings.replicas.fixed or exclusive(settings) or worker in by_hand or lag is None:
                self._paces.pop(worker, None)
                continue
            pace = self._paces.get(worker, Pace())
            decision, self._paces[worker] = decide(
                settings.replicas, processes, pace, Seen(now_s, lag)
            )
            if decision.processes != processes:
                found[worker] = decision
        return found


def lag_of(topology: Topology, worker: str, streams: Sequence[StreamState]) -> int | None:
    """Entries that wait for a worker on all its streams; None where the server cannot tell."""
    ours = reads(topology, worker)
    groups = [g for s in streams if s.name in ours for g in s.groups if g.worker == worker]
    lags = [group.lag for group in groups]
    known = [lag for lag in lags if lag is not None]
    return sum(known) if len(known) == len(lags) else None


def processes_at_first(topology: Topology, worker: str) -> int:
    """How many processes a worker begins with: the fewest, or where it owns its lanes alone and
    has a range, one a lane within that range.
    """
    settings = topology.workers[worker]
    if exclusive(settings) and not settings.replicas.fixed:
        return settings.replicas.within(topology.lanes)
    return settings.replicas.min
