"""The worker's line in the presence list, renewed by a thread of its own."""

import os
import platform
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from streams.errors import StreamsError
from streams.presence import Presence, announce, withdraw
from workers.keeper import Kept
from workers.metrics import Metrics
from workers.pulse import Pulse
from workers.standing import Standing
from workers.station import Station

_LONGER_S = 1.0


class Announcer:
    """Tells how the worker stands on a lane: at every change, and three times a lease.

    ``port`` is where the process serves its health pages on ``host``. The process is known by
    its keeper's pid, if it has one. Lines say in seconds since the epoch when they run out, for
    other machines read them; however that clock is set, they are renewed in time.
    """

    def __init__(
        self,
        station: Station,
        standing: Standing,
        metrics: Metrics,
        kept: Kept | None = None,
        *,
        host: str,
        port: int,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._station = station
        self._standing = standing
        self._metrics = metrics
        self._pid = kept.pid if kept else os.getpid()
        self._restarts = kept.restarts if kept else 0
        self._address = (host, port)
        self._now_s = now_s
        self._monotonic_s = monotonic_s
        self._started_at_s = now_s()
        self._told = ""
        self._due_s = self._runs_out_at_s = float("-inf")
        self._pulse = Pulse("announcer", self._turn)

    def start(self) -> None:
        """Tell once, and go on in the thread: whoever holds a lease was announced before."""
        self._pulse.start()

    def stop(self) -> None:
        """Stop telling, and take our line out of the presence list."""
        self._pulse.stop()
        try:
            withdraw(self._station.client, self.presence().field)
        except StreamsError:
            return  # the server is away; the line runs out by itself

    def _turn(self) -> None:
        state = self._standing.state
        if state != self._told or self._is_due():
            self._due_s = self._monotonic_s() + self._station.lease.ttl_s / 3
            self._told = state
            self.once()

    def _is_due(self) -> bool:
        """Whether it is time, or the clock was set on so that our line has run out."""
        return self._monotonic_s() >= self._due_s or self._now_s() >= self._runs_out_at_s

    def once(self) -> None:
        """Tell once."""
        presence = self.presence()
        self._metrics.ready.set(presence.ready)
        self._metrics.rss.set(presence.rss_bytes)
        self._runs_out_at_s = presence.expires_at_s
        try:
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
            pid=self._pid,
            restarts=self._restarts,
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
