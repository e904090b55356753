"""The heartbeat: renews the lease and the line in the presence list, and watches the parent.

It runs in a thread of its own, so a slow batch does not let the lease run out: slow is not dead.
"""

import os
import platform
import resource
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import structlog

from streams.errors import StreamsError
from streams.presence import Presence, announce, withdraw
from workers.metrics import Metrics
from workers.standing import Standing
from workers.station import Station

_LONGER_S = 1.0

EXIT_DEADLINE = 9
"""Exit code of a process whose handler went past its deadline."""


class Heartbeat:
    """Beats every third of the lease's time to live until told to stop.

    ``port`` is where the process serves its health pages; ``parent`` is the process that started
    it, 0 for none: without its parent a worker drains and ends, for nobody would stop it.
    """

    def __init__(
        self,
        station: Station,
        standing: Standing,
        metrics: Metrics,
        *,
        host: str,
        port: int,
        parent: int = 0,
        now_s: Callable[[], float] = time.time,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._station = station
        self._standing = standing
        self._metrics = metrics
        self._address = (host, port)
        self._parent = parent
        self._now_s = now_s
        self._end = end
        self._started_at_s = now_s()
        self._ended = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Beat once, and go on in the thread: whoever holds a lease was announced before."""
        self.once()
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and take our line out of the presence list."""
        self._ended.set()
        self._thread.join()
        try:
            withdraw(self._station.client, self.presence())
        except StreamsError:
            return  # the server is away; the line runs out by itself

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _beat(self) -> None:
        while not self._ended.is_set():
            try:
                self._beat_once_and_wait()
            except Exception as error:  # noqa: BLE001 - the edge: a heart that stops kills the worker
                # A handler that eats all memory makes any thread raise; the next beat may succeed.
                log = structlog.get_logger().bind(worker=self._station.worker)
                log.error("heartbeat_failed", error=f"{type(error).__name__}: {error}")
                self._ended.wait(0.1)

    def _beat_once_and_wait(self) -> None:
        every_s, waited_s = self._station.lease.ttl_s / 3, 0.0
        self.once()
        told = self._standing.state
        # A change of state is told at once; else the line is renewed when it is time.
        while waited_s < every_s and self._standing.state == told:
            if self._ended.wait(0.1):
                return
            waited_s += 0.1
            self._mind_the_deadline()

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
        if self._parent and os.getppid() != self._parent:
            self._standing.stopping.set()
        presence = self.presence()
        self._metrics.ready.set(presence.ready)
        self._metrics.rss.set(presence.rss_bytes)
        try:
            self._station.lease.renew()
            announce(self._station.client, presence)
        except StreamsError:
            return  # the loop meets the same outage, waits it out and says so once

    def presence(self) -> Presence:
        """This process as it stands."""
        station = self._station
        return Presence(
            worker=station.worker,
            kind=station.settings.kind,
            consumer=station.holder,
            lane=station.lane.index,
            pid=os.getpid(),
            host=self._address[0],
            port=self._address[1],
            version=version("penstock"),
            state=self._standing.state,
            ready=self._standing.ready,
            started_at_s=self._started_at_s,
            expires_at_s=self._now_s() + station.lease.ttl_s + _LONGER_S,  # outlives its lease
            rss_bytes=rss_bytes(),
        )


def rss_bytes() -> int:
    """Resident memory of this process; its peak where the system tells only that."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        unit = 1 if platform.system() == "Darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return pages * os.sysconf("SC_PAGE_SIZE")
