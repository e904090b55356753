"""What the supervisor did: told in the log, counted for the metrics, written to its stream.

Telling waits for nobody. What is told while the server is away stays in memory, the newest
thousand, and `write` takes it to the stream once the server is back.
"""

import platform
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from schemas.supervisor_event import Action, Detail, SupervisorEvent
from schemas.topology import Topology
from streams.connection import Client
from streams.side import write_side

_MOST_KEPT = 1000
_WRITTEN_AT_ONCE = 100
_MOST_WORDS = 1024
_LEVELS = {
    Action.MISCONFIGURED: "error",
    Action.LEASE_BROKEN: "info",
    Action.SCALED: "info",
    Action.RELOADED: "info",
    Action.RESTARTED_BY_HAND: "info",
}


class Chronicle:
    """Tells of each action once, in three places. ``keeps`` bounds what waits to be written."""

    def __init__(
        self,
        log: Any = None,
        *,
        now_s: Callable[[], float] = time.time,
        keeps: int = _MOST_KEPT,
    ) -> None:
        self._log = log or structlog.get_logger()
        self._now_s = now_s
        self._waiting: deque[SupervisorEvent] = deque(maxlen=keeps)
        self._counted: Counter[tuple[str, str]] = Counter()
        self._lost = 0
        self._host = platform.node()[:128] or "unknown"

    def tell(
        self,
        action: Action,
        why: str,
        worker: str | None = None,
        process: str | None = None,
        details: Mapping[str, Detail] | None = None,
        *,
        logged: bool = False,
    ) -> None:
        """Note an action. ``logged`` says that the log has it already."""
        event = SupervisorEvent(
            action=action,
            worker=worker,
            process=process,
            host=self._host,
            why=_line(why),
            at_s=self._now_s(),
            details={
                name: _line(v) if isinstance(v, str) else v for name, v in (details or {}).items()
            },
        )
        self._counted[action.value, worker or ""] += 1
        if len(self._waiting) == self._waiting.maxlen:
            self._lost += 1
        self._waiting.append(event)
        if not logged:
            said = {"worker": worker, "process": process, **event.details}
            fields = {name: value for name, value in said.items() if value is not None}
            level = _LEVELS.get(action, "warning")
            getattr(self._log, level)("supervisor_acted", action=action.value, why=why, **fields)

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """How often each action was taken so far, by action and worker."""
        return dict(self._counted)

    @property
    def waiting(self) -> int:
        """Events that are yet to be written."""
        return len(self._waiting)

    def write(self, client: Client, topology: Topology) -> None:
        """Write what waits, a hundred at most, to the stream that the topology names, if any.

        Raises what the server raises; what was not written is kept.
        """
        if topology.supervisor is None:
            self._waiting.clear()
            return
        if self._lost:
            self._log.warning("supervisor_events_lost", events=self._lost, kept=len(self._waiting))
            self._lost = 0
        for _ in range(min(len(self._waiting), _WRITTEN_AT_ONCE)):
            write_side(client, topology, topology.supervisor, self._waiting[0].model_dump_json())
            self._waiting.popleft()


def _line(text: str) -> str:
    return " ".join(text.split()).encode("utf-8", "replace").decode()[:_MOST_WORDS]
