"""What a worker tells the service manager that started it, by systemd's protocol for services.

A datagram of ``NAME=value`` lines to the socket that ``NOTIFY_SOCKET`` names; the names are those
of sd_notify(3). The working process speaks, not its keeper, so ``NotifyAccess=all`` is needed.
"""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from workers.pulse import Pulse

_STATUS_EVERY_S = 5.0
_PATIENCE_S = 60.0  # how long a start may take from each word on


class ServiceManager:
    """Sends to the manager's socket; logs the first failure, for nothing here may stop a worker.

    ``address`` is a path, or a name in the abstract namespace after ``@``.
    """

    def __init__(self, address: str, log: Any) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._log = log
        self._failed = False

    def tell(self, **said: object) -> None:
        """Send these assignments as one datagram."""
        text = "\n".join(f"{name}={value}" for name, value in said.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                to.setblocking(False)
                to.sendto(text.encode(), self._address)
        except OSError as error:
            if not self._failed:
                self._log.warning("notify_failed", error=str(error))
            self._failed = True


class Notifier:
    """Tells when the worker is ready, that it makes progress, how it stands, and that it ends.

    ``live`` and ``ready`` are the checks of ``/livez`` and ``/readyz``: each returns what is wrong,
    or nothing. The watchdog is fed every ``feed_every_s`` (None: there is none), but only while
    ``live`` finds nothing wrong. Until the worker is ready the time for its start is extended, for
    a server that is away is waited for.
    """

    def __init__(
        self,
        manager: ServiceManager,
        live: Callable[[], str],
        ready: Callable[[], str],
        stopping: threading.Event,
        *,
        feed_every_s: float | None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._manager = manager
        self._live = live
        self._ready = ready
        self._stopping = stopping
        self._feed_every_s = feed_every_s
        self._monotonic_s = monotonic_s
        self._feed_at_s = self._status_at_s = float("-inf")
        self._status = ""
        self._was_ready = self._told_stopping = False
        self._pulse = Pulse("notifier", self.turn)

    def start(self) -> None:
        """Tell once, and go on in a thread."""
        self._pulse.start()

    def stop(self) -> None:
        """End the thread; the manager is told that the worker ends, if it was not."""
        self._pulse.stop()
        self._tell_stopping()

    def turn(self) -> None:
        """Tell what is new, and feed the watchdog where it is time."""
        now_s, fault = self._monotonic_s(), self._live()
        if self._stopping.is_set():
            self._tell_stopping()
        elif fault or self._was_ready:
            self._tell_status(fault or self._ready() or "at work", now_s)
        else:
            self._tell_start(now_s)
        if not fault and self._feed_every_s is not None and now_s >= self._feed_at_s:
            self._feed_at_s = now_s + self._feed_every_s
            self._manager.tell(WATCHDOG=1)

    def _tell_start(self, now_s: float) -> None:
        waits = self._ready()
        if not waits:
            self._was_ready, self._status = True, "at work"
            self._manager.tell(READY=1, STATUS=self._status)
        elif now_s >= self._status_at_s:
            self._status_at_s = now_s + _STATUS_EVERY_S
            self._manager.tell(STATUS=waits, EXTEND_TIMEOUT_USEC=int(_PATIENCE_S * 1e6))

    def _tell_status(self, status: str, now_s: float) -> None:
        if status != self._status and now_s >= self._status_at_s:
            self._status, self._status_at_s = status, now_s + 1.0
            self._manager.tell(STATUS=status)

    def _tell_stopping(self) -> None:
        if not self._told_stopping:
            self._told_stopping = True
            self._manager.tell(STOPPING=1, STATUS="draining")


def notifiers(
    environment: Mapping[str, str],
    keeper: int,
    live: Callable[[], str],
    ready: Callable[[], str],
    stopping: threading.Event,
    log: Any,
) -> list[Notifier]:
    """The notifier that the environment asks for; none where no manager listens.

    ``keeper`` is the pid that the manager knows. A watchdog for another process is not ours.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return []
    if not address.startswith(("/", "@")):
        log.warning("notify_failed", error="NOTIFY_SOCKET is neither a path nor an abstract name")
        return []
    manager = ServiceManager(address, log)
    feed_every_s = _feed_every_s(environment, keeper)
    return [Notifier(manager, live, ready, stopping, feed_every_s=feed_every_s)]


def _feed_every_s(environment: Mapping[str, str], keeper: int) -> float | None:
    """A third of the watchdog's time, so that two beats may come late."""
    for_whom = environment.get("WATCHDOG_PID", str(keeper))
    time_us = environment.get("WATCHDOG_USEC", "")
    if for_whom != str(keeper) or not time_us.isdecimal() or int(time_us) == 0:
        return None
    return int(time_us) / 3e6
