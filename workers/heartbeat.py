"""The heartbeat: renews the lease, ends a process whose handler is stuck, and watches the keeper.

It runs in a thread of its own, so a slow batch does not let the lease run out: slow is not dead.
Nothing else that speaks to the server is done there, so nothing else can hold a renewal up.
"""

import os
import time
from collections.abc import Callable

import structlog

from streams.errors import StreamsError
from workers.keeper import Kept
from workers.pulse import Pulse
from workers.standing import Standing
from workers.station import Station

EXIT_DEADLINE = 9
"""Exit code of a process whose handler went past its deadline."""


class Heartbeat:
    """Beats every third of the lease's time to live until told to stop.

    ``kept`` names the process that forked this one: without it a worker drains and ends, for
    nobody would stop it.
    """

    def __init__(
        self,
        station: Station,
        standing: Standing,
        kept: Kept | None = None,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._station = station
        self._standing = standing
        self._kept = kept
        self._monotonic_s = monotonic_s
        self._end = end
        self._due_s = float("-inf")
        self._pulse = Pulse("heartbeat", self._turn)

    def start(self) -> None:
        """Beat once, and go on in the thread."""
        self._pulse.start()

    def stop(self) -> None:
        """Stop beating."""
        self._pulse.stop()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._pulse.alive

    def _turn(self) -> None:
        self._mind_the_deadline()
        now_s = self._monotonic_s()
        if now_s >= self._due_s:
            self._due_s = now_s + self._station.lease.ttl_s / 3
            self.once()

    def _mind_the_deadline(self) -> None:
        """End the process when the handler is stuck: nothing less ends a function that loops.

        Its entries are delivered again, which counts as an attempt, so that one which loops for
        ever becomes a dead letter like one that raises.
        """
        handling_s, deadline_s = self._standing.handling_s, self._station.settings.deadline
        if handling_s > deadline_s:
            log = structlog.get_logger().bind(worker=self._station.worker)
            log.error("deadline_passed", handling_s=round(handling_s, 1), deadline_s=deadline_s)
            self._end(EXIT_DEADLINE)

    def once(self) -> None:
        """One beat."""
        if self._kept and os.getppid() != self._kept.pid:
            self._standing.stopping.set()
        try:
            self._station.lease.renew()
        except StreamsError:
            return  # the loop meets the same outage, waits it out and says so once
