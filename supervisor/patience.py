"""Waiting for processes: until they have ended, or until they are ready."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from supervisor.child import Child
from supervisor.errors import ActionFailed
from supervisor.steps import Steps

_NEVER_WORKED_S = 2.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a process may take to drain, and to become ready, in seconds."""

    drain_s: float
    ready_s: float
    now_s: Callable[[], float]

    def end(self, children: Sequence[Child]) -> Steps:
        """Have processes drain and end; what has not done so in time is killed.

        One that was never ready has nothing to drain, so it has 2 s at most.
        """
        now_s = self.now_s()
        ends = [(child, now_s + self._drain_s(child)) for child in children]
        for child in children:
            child.stop()
        while any(child.state != "stopped" for child in children):
            yield
            for child, deadline_s in ends:
                if self.now_s() > deadline_s:
                    child.kill()

    def _drain_s(self, child: Child) -> float:
        return min(_NEVER_WORKED_S, self.drain_s) if child.state == "starting" else self.drain_s

    def become_ready(self, children: Sequence[Child]) -> Steps:
        """Wait until processes take entries.

        Raises ActionFailed for the first that does not, with its log.
        """
        deadline_s = self.now_s() + self.ready_s
        while any(child.state == "starting" for child in children):
            yield
            if self.now_s() > deadline_s:
                break
        for child in children:
            if child.state != "running":
                raise ActionFailed(f"{self._late(child)}; its log: {child.log.path}")

    def _late(self, child: Child) -> str:
        if child.state == "starting":
            return f"{child.place.label} did not become ready within {self.ready_s:g} s"
        why = f": {child.reason}" if child.reason else ""
        return f"{child.place.label} is {child.state.replace('_', ' ')}, not ready{why}"
