"""The presence list process by process: a process writes a line for each lane that it serves."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from streams.presence import Presence, State
from supervisor.child import Place

_WORST_FIRST: tuple[State, ...] = (
    "starting", "waiting", "replaying", "draining", "running", "standby",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Announced:
    """One worker process as its lines, one at least, describe it."""

    lines: tuple[Presence, ...]

    @property
    def presence(self) -> Presence:
        """A line; what it says of the process as a whole, all of them say."""
        return self.lines[0]

    @property
    def ready(self) -> bool:
        """Whether each of its lanes is served, by it or by another process."""
        return all(line.served for line in self.lines)

    @property
    def state(self) -> State:
        """The state of the lane that is worst off; ``standby`` only where it has none itself."""
        return min((line.state for line in self.lines), key=_WORST_FIRST.index)

    @property
    def lanes(self) -> tuple[int, ...]:
        """The lanes whose entries it takes."""
        return tuple(sorted(line.lane for line in self.lines if line.ready))


class Started(Protocol):
    """What the lines of a process are known by that a supervisor has started; see ``Child``."""

    @property
    def place(self) -> Place:
        """Which process it is."""
        ...

    @property
    def pid(self) -> int | None:
        """Its process id while it lives."""
        ...

    @property
    def not_before_s(self) -> float:
        """It did not begin before then, in seconds since the epoch."""
        ...


def by_process(presences: Iterable[Presence]) -> list[Announced]:
    """The processes that have lines, in the order of their first."""
    found: dict[tuple[str, str], list[Presence]] = {}
    for line in presences:
        found.setdefault((line.worker, line.consumer), []).append(line)
    return [Announced(tuple(lines)) for lines in found.values()]


def of_this_machine(presences: Iterable[Presence]) -> list[Announced]:
    """The processes of this machine, the dead among them until their lines run out."""
    node = platform.node()[:64]
    return [
        process
        for process in by_process(presences)
        if process.presence.consumer.startswith(f"{node}-{process.presence.pid}-")
    ]


def of_ours(presences: Iterable[Presence], started: Iterable[Started]) -> dict[int, Announced]:
    """What the processes that we have started say of themselves, by process id.

    Process ids and the machine's name recur when a container is started again. What another worker
    wrote under an id of ours, or a process that began before ours was started, is of a dead one.
    """
    ours = {each.pid: each for each in started}
    found: dict[int, Announced] = {}
    for process in sorted(of_this_machine(presences), key=lambda each: each.presence.started_at_s):
        line = process.presence
        own = ours.get(line.pid)
        if own and own.place.worker == line.worker and own.not_before_s <= line.started_at_s:
            found[line.pid] = process  # the newest is the last
    return found
