"""One worker process, from its start to its end, and its start again."""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from schemas.supervisor_event import Action, Detail
from streams.outage import Backoff
from supervisor.chronicle import Chronicle
from supervisor.inner_ends import note_ends
from supervisor.worker_log import Line, WorkerLog

ChildState = Literal["starting", "running", "backing_off", "misconfigured", "stopping", "stopped"]
"""``running``: it said that it is ready, once at least, since it was started."""

_RETRY_MISCONFIGURED_S = 30.0
_KILLED_BY_ITSELF = 2  # as many deaths by a signal: one may have come from outside, as `kill -9`


class Process(Protocol):
    """What a child needs of a ``subprocess.Popen``."""

    pid: int

    def poll(self) -> int | None:
        """The exit code once it ended, None before."""
        ...

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal, unless it ended."""
        ...


Spawn = Callable[..., Process]
"""Starts a process, as ``subprocess.Popen`` does."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the supervisor takes from the machine, so that a test can put something else there."""

    now_s: Callable[[], float] = time.monotonic
    random_share: Callable[[], float] = random.random
    spawn: Spawn = field(default=subprocess.Popen)
    epoch_s: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Place:
    """Which process this is: of which worker, and which of its replicas."""

    worker: str
    replica: int = 0

    @property
    def label(self) -> str:
        """Its name among processes; the bare worker's name where there is one only.

        >>> Place("gate").label, Place("gate", replica=2).label
        ('gate', 'gate.replica2')
        """
        return f"{self.worker}.replica{self.replica}" if self.replica else self.worker


class Child:
    """A worker process that is started again whenever it ends without having been told to.

    ``command`` says at each start what is run, ``log`` is the file that the process writes. It
    waits longer from start to start while starts fail; one that ends by itself before it was ready
    is misconfigured, and tried every 30 s, for it takes a person to mend it. So is one that a
    signal ended before it was ready, from the second in a row on; the SIGKILL of a keeper that has
    answered no end is nobody's fault. The ``chronicle`` hears of each end, also of those that its
    keeper answered; of a misconfigured one's only when its words are new. ``look`` has to be called
    now and then, and at once after a SIGCHLD.
    """

    def __init__(
        self,
        place: Place,
        command: Callable[[], Sequence[str]],
        log: Path,
        chronicle: Chronicle,
        around: Surroundings,
    ) -> None:
        self.place = place
        self.state: ChildState = "stopped"
        self.ready = False
        self.lanes: tuple[int, ...] = ()
        self.reason = ""
        self._starts_again = self._within = self._killed_young = 0
        self.log = WorkerLog(log)
        self._command = command
        self._told_of = ""
        self._chronicle = chronicle
        self._around = around
        self._backoff = Backoff(
            first_s=0.5, most_s=30.0, calm_s=30.0, random_share=around.random_share
        )
        self._process: Process | None = None
        self._started_at_s = self._due_at_s = self._not_before_s = 0.0
        self._kill_at_s: float | None = None
        self._killed = False
        self._comes_back = False

    @property
    def pid(self) -> int | None:
        """The process id while the process lives."""
        return self._process.pid if self._process else None

    @property
    def not_before_s(self) -> float:
        """The process did not begin before then, in seconds since the epoch.

        By the clock as it was set at the start or has been set since, whichever is earlier.
        """
        return self._not_before_s

    @property
    def restarts(self) -> int:
        """Starts after ends nobody asked for: of the process, and within it by its keeper."""
        return self._starts_again + self._within

    @property
    def within(self) -> int:
        """How often its keeper has started another process, since the keeper itself was started."""
        return self._within

    @property
    def waits_s(self) -> float | None:
        """Seconds until it is started again, or None where it waits for nothing."""
        if self.state not in ("backing_off", "misconfigured"):
            return None
        return max(0.0, self._due_at_s - self._around.now_s())

    def start(self) -> None:
        """Start it now, because somebody wants it: back-off begins anew."""
        self._backoff.reset()
        self._killed_young = 0
        self._spawn()

    def look(self) -> list[Line]:
        """Note an end, start again what is due; return what the process has written since."""
        ran_s = self._around.now_s() - self._started_at_s
        self._not_before_s = min(self._not_before_s, self._around.epoch_s() - ran_s)
        code = self._process.poll() if self._process else None
        lines = self.log.fresh() if self._process else []
        self._went_on(note_ends(self._chronicle, self.place.worker, self.place.label, lines))
        if code is not None:
            self._ended(code)
        elif self._kill_at_s is not None and self._around.now_s() >= self._kill_at_s:
            self._end_at_once()
        elif self.waits_s == 0.0:
            self._starts_again += 1
            self._spawn()
        return lines

    def saw(self, ready: bool, lanes: tuple[int, ...] = (), restarts: int = 0) -> None:
        """Note what the process says of itself in the presence list: the lanes that it serves, and
        how often it was started again by its keeper.
        """
        self.ready, self.lanes = ready, lanes
        self._went_on(restarts)
        if ready and self.state == "starting":
            self.state, self.reason, self._told_of = "running", "", ""
            self._killed_young = 0

    def stop(self) -> None:
        """Tell it to drain and end, and do not start it again."""
        self._comes_back, self._kill_at_s = False, None
        self._leave(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, and do not start it again."""
        self._comes_back, self._kill_at_s = False, None
        self._end_at_once()

    def replace(
        self, action: Action, why: str, drain_s: float, details: Mapping[str, Detail]
    ) -> None:
        """Tell it to drain and end, kill it after ``drain_s``, and start it again."""
        self._tell(action, why, details)
        self.reason, self._comes_back = why, True
        self._kill_at_s = self._around.now_s() + drain_s
        self._leave(signal.SIGTERM)

    def _end_at_once(self) -> None:
        self._kill_at_s = None
        if self._killed:
            return
        if self._process is not None:
            self._killed = True
            self._tell(Action.KILLED, "it had not drained", {"pid": self._process.pid})
        self._leave(signal.SIGKILL)

    def _went_on(self, restarts: int) -> None:
        self._within = max(self._within, restarts)

    def _tell(self, action: Action, why: str, details: Mapping[str, Detail]) -> None:
        self._chronicle.tell(action, why, self.place.worker, self.place.label, details)

    def _leave(self, number: int) -> None:
        self.ready, self.lanes = False, ()
        if self._process is None:
            self.state = "stopped"
            return
        self.state = "stopping"
        self._process.send_signal(number)

    def _spawn(self) -> None:
        self.state, self.ready, self._killed = "starting", False, False
        self._started_at_s, self._not_before_s = self._around.now_s(), self._around.epoch_s()
        try:
            with self.log.open() as file:
                self._process = self._around.spawn(
                    list(self._command()),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,  # Ctrl-C is for the supervisor, which then drains us
                )
        except OSError as error:
            self._back_off(f"it could not be started: {error}")

    def _ended(self, code: int) -> None:
        was, self._process, self.ready = self.state, None, False
        if was == "starting" and code < 0 and (self._within or code != -signal.SIGKILL):
            self._killed_young += 1 + self._within
        self._starts_again, self._within, self._kill_at_s = self.restarts, 0, None
        words = "" if code == -signal.SIGKILL else self.log.last_words()  # nobody sees it coming
        if was == "stopping" and self._comes_back:
            self._comes_back = False
            self._pause()
        elif was == "stopping":
            self.state, self.reason = "stopped", ""
        elif was == "starting" and (code >= 0 or self._killed_young >= _KILLED_BY_ITSELF):
            self._misconfigured(words or f"{ending(code)} before it was ready, without a word")
        else:
            self._back_off(f"{ending(code)}{f': {words}' if words else ''}")

    def _misconfigured(self, reason: str) -> None:
        self.state, self.reason = "misconfigured", reason
        self._due_at_s = self._around.now_s() + _RETRY_MISCONFIGURED_S
        if reason != self._told_of:
            self._told_of = reason
            log = str(self.log.path)
            self._tell(
                Action.MISCONFIGURED, reason, {"again_s": _RETRY_MISCONFIGURED_S, "log": log}
            )

    def _back_off(self, reason: str) -> None:
        self.reason = reason
        again_s = round(self._pause(), 2)
        self._tell(Action.RESTARTED, reason, {"again_s": again_s, "log": str(self.log.path)})

    def _pause(self) -> float:
        """Wait before the next start; return the seconds."""
        self.state = "backing_off"
        wait_s = self._backoff.next_s(self._around.now_s() - self._started_at_s)
        self._due_at_s = self._around.now_s() + wait_s
        return wait_s


def ending(code: int) -> str:
    """How a process ended, in words.

    >>> ending(-9), ending(1)
    ('killed by SIGKILL', 'ended with exit code 1')
    """
    if code < 0:
        known = -code in set(signal.Signals)
        return f"killed by {signal.Signals(-code).name if known else f'signal {-code}'}"
    return f"ended with exit code {code}"
