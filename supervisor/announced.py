"""The presence list process by process: a process writes a line for each lane that it serves."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass

from streams.presence import Presence, State

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


def by_process(presences: Iterable[Presence]) -> list[Announced]:
    """The processes that have lines, in the order of their first."""
    found: dict[tuple[str, str], list[Presence]] = {}
    for line in presences:
        found.setdefault((line.worker, line.consumer), []).append(line)
    return [Announced(tuple(lines)) for lines in found.values()]


def of_this_machine(presences: Iterable[Presence]) -> dict[int, Announced]:
    """The processes of this machine, by process id."""
    node = platform.node()[:64]
    return {
        process.presence.pid: process
        for process in by_process(presences)
        if process.presence.consumer.startswith(f"{node}-{process.presence.pid}-")
    }
