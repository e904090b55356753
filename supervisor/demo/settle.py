"""Waiting until the pipeline has settled everything, and telling who does not come on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.topology import Topology
from schemas.topology_graph import readers
from streams.observe import StreamState
from supervisor.demo.publish import Interrupted, Wait
from supervisor.errors import SupervisorError

Counters = Mapping[tuple[str, str, str], int]
"""Entries settled, by (worker, stream, outcome)."""

LOOK_EVERY_S = 0.2


class Stalled(SupervisorError):
    """A worker has settled nothing for a long time, though there is something for it."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one worker still has to do on one stream; ``entries`` None: its group is yet to come."""

    worker: str
    stream: str
    entries: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """The pipeline at one moment."""

    backlog: tuple[Backlog, ...]
    counters: Counters


def backlog_of(topology: Topology, states: Iterable[StreamState]) -> tuple[Backlog, ...]:
    """What is left to do, the most first; empty once every group has settled everything.

    Where the server cannot tell a lag, what is pending decides.
    """
    found = []
    for state in states:
        groups = {group.worker: group for group in state.groups}
        for worker in readers(topology, state.name):
            group = groups.get(worker)
            if group is None:
                found.append(Backlog(worker, state.name, None))
            elif group.pending or group.lag:
                found.append(Backlog(worker, state.name, (group.lag or 0) + group.pending))
    return tuple(sorted(found, key=lambda each: -(each.entries or 0)))


def wait_until_settled(
    look: Callable[[], Look],
    wait: Wait,
    told: Callable[[Look], None],
    *,
    monotonic_s: Callable[[], float],
    stall_s: float,
) -> Counters:
    """Wait until nothing is left to do at two looks in a row; return the counters then.

    One look is no proof: streams are looked at one after another, and a message may step from one
    that is yet to be looked at to one that has been.

    Raises Stalled when no counter has moved for ``stall_s`` seconds, Interrupted when told to stop.
    """
    moved_s, last, clean = monotonic_s(), -1, 0
    while True:
        seen = look()
        told(seen)
        clean = 0 if seen.backlog else clean + 1
        if clean == 2:
            return seen.counters
        settled = sum(seen.counters.values())
        if settled != last:
            moved_s, last = monotonic_s(), settled
        elif monotonic_s() - moved_s > stall_s:
            raise Stalled(stalled(seen.backlog, stall_s))
        if wait(LOOK_EVERY_S):
            raise Interrupted


def stalled(backlog: Sequence[Backlog], stall_s: float) -> str:
    """The sentence that names who does not come on."""
    waiting = [each for each in backlog if each.entries]
    if not waiting:
        names = ", ".join(sorted({each.worker for each in backlog}))
        return (
            f"the pipeline did not come on for {stall_s:.0f} s: worker {names} has not begun to "
            "read; see 'penstock status'"
        )
    first = waiting[0]
    return (
        f"the pipeline did not come on for {stall_s:.0f} s: worker {first.worker!r} leaves "
        f"{first.entries:,} entries of {first.stream!r}; see 'penstock status' and its log, "
        "then run 'penstock demo' again: it goes on with this run"
    )


def since_start(
    counters: Counters, worker: str, stream: str, before: Mapping[str, int]
) -> dict[str, int]:
    """What a worker settled of a stream beyond ``before``, by outcome."""
    now = outcomes(counters, worker, stream)
    return {outcome: count - before.get(outcome, 0) for outcome, count in now.items()}


def outcomes(counters: Counters, worker: str, stream: str) -> dict[str, int]:
    """What a worker ever settled of a stream, by outcome."""
    return {
        outcome: count
        for (name, of, outcome), count in counters.items()
        if (name, of) == (worker, stream)
    }
