"""A check of the streams that a topology named once, and names no more."""

from collections.abc import Iterator

from schemas.topology import Topology
from streams.condition import unnamed
from streams.errors import ServerRefused
from streams.observe import StreamState, counters, stream_states
from supervisor.doctor.finding import Finding, Patient, notice, ok, warning
from supervisor.dropped import remedy, said, unread

_MOST_NAMED = 5


def stranded(patient: Patient) -> Iterator[Finding]:
    """Whether a stream that the topology does not name has a group of a worker of ours."""
    names = dict.fromkeys(
        name for server in patient.servers.values() for name in unnamed(server, patient.topology)
    )
    ours = {worker for worker, _, _ in counters(patient.client, patient.topology)}
    ours |= patient.topology.workers.keys()
    unseen: list[str] = []
    found = 0
    for name in names:
        try:
            state = _state(patient, name)
        except ServerRefused:
            unseen.append(name)
            continue
        if any(group.worker in ours for group in state.groups):
            found += 1
            sentence = f"{name} is not in the topology and has a group of a worker: {said(state)}"
            yield (warning if unread(state) else notice)(sentence, remedy(state))
    if unseen:
        yield _not_seen(unseen)
    elif not found:
        yield ok("no stream with a worker's group is missing from the topology")


def _state(patient: Patient, name: str) -> StreamState:
    (state,) = stream_states(patient.client, _with(patient.topology, name), [name])
    return state


def _with(topology: Topology, name: str) -> Topology:
    """A topology that has the stream, too; what it is for does not matter to who only looks."""
    as_any = topology.streams[topology.lineage]
    return topology.model_copy(update={"streams": {**topology.streams, name: as_any}})


def _not_seen(names: list[str]) -> Finding:
    shown = ", ".join(names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return notice(
        f"{len(names)} stream(s) that the topology does not name could not be looked at: "
        f"{shown}{more}",
        "nothing, if they are others'; else ask as a user with +xinfo on them",
    )
