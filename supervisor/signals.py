"""What the supervisor does with signals.

A handler runs between any two instructions of the main thread, so it does nothing but put a word
into the inbox that the main loop waits on; ``SimpleQueue.put`` is one of the few calls that are
safe there. The loop does the work, at a point of its own choosing.

- SIGTERM, SIGINT: drain and end. SIGINT is Ctrl-C. A second one while draining: do not wait any
  longer. The workers have sessions of their own, so neither reaches them from the terminal; they
  end when the supervisor tells them to.
- SIGHUP: apply the topology file as it is now. Only where it had a terminal that is closed by now,
  which the system tells by the same signal, it drains and ends.
- SIGCHLD: a child ended. Its word only wakes the loop, which looks at all children: signals of the
  same kind merge, so one word may stand for several ends.
- SIGKILL cannot be caught. The workers notice that their parent is gone, and drain by themselves;
  the embedded server goes on, and the next ``penstock up`` takes it over.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class End:
    """Somebody wants the supervisor to drain and end; ``why`` says who."""

    why: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """Somebody wants the topology file to be applied as it is now."""


@dataclass(frozen=True, slots=True)
class Wake:
    """Something happened to a child."""


class Signals:
    """Turns signals into words in ``inbox`` while it is entered; only for the main thread.

    ``has_terminal`` tells whether the process has one at the moment.
    """

    def __init__(
        self, inbox: SimpleQueue[Any], has_terminal: Callable[[], bool] | None = None
    ) -> None:
        self._inbox = inbox
        self._has_terminal = has_terminal or _has_terminal
        self._had_terminal = self._has_terminal()
        self._before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {}

    def __enter__(self) -> "Signals":
        for number in _ENDING:
            self._before[number] = signal.signal(number, self._end)
        self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._hang_up)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._wake)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _end(self, number: int, _: FrameType | None) -> None:
        self._inbox.put(End(signal.Signals(number).name))

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        if self._had_terminal and not self._has_terminal():
            self._end(number, frame)
        else:
            self._inbox.put(Hangup())

    def _wake(self, number: int, _: FrameType | None) -> None:
        self._inbox.put(Wake())


def _has_terminal() -> bool:
    """Whether the process has a controlling terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
