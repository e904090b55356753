"""The keeper of a worker process: forks it, and forks it anew the moment an entry ended it.

A crash in native code, a function that eats all memory, one that passes its deadline: each ends
the process, and all that was in flight beside the guilty entry waits for the next one. A new
interpreter with all its imports takes most of a second; a fork of one that has them takes
milliseconds. So ``python -m workers`` is two processes: the keeper, which has no connection, no
thread, none of the author's modules and no entry; and the one that works.

At once is for what an entry did. A process that had no entry in hand is followed after a pause,
which grows from one to the next until one has worked for a while. After some of these the keeper
ends as they did, so that whoever started it backs off. It does so at once where a process ended by
itself, was never ready and had no entry in hand: the next one would not get further. A signal may
have come from outside; the same one a second time in a row did not, unless it is SIGKILL.

The keeper has the pid that its parent knows. What is sent to it is for the one that works: SIGTERM
and SIGINT are passed on, and a ``kill -9`` of the keeper ends both (where the system can do that;
elsewhere the other one drains once it notices).
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from streams.outage import Backoff
from workers.in_hand import Hands, Left, Suspect
from workers.station import holder_name

_ENDING = frozenset((signal.SIGTERM, signal.SIGINT))
_HANDLED = _ENDING | {signal.SIGCHLD}
_IN_ORDER, _SERVED = b".", b"+"
_MOST_PAUSES = 10
_CALM_S = 2.0  # what worked as long has not ended for a reason that a pause would mend
_INHERITED_AFTER_S = 1.0  # a process that lived as long has taken over from those before it
_MOST_DEAD = 8
_MOST_SUSPECTS = 512
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Kept:
    """What the process that works knows of its keeper.

    ``pid`` is the keeper's; ``holder`` names the process that works on any host, ``dead`` those
    before it whose leases may last, empty for the first; ``suspects`` are the entries that they had
    in hand or that had failed, ``explained`` those that had tried nothing else of what they left;
    ``restarts`` counts the processes that ended before this one; ``stopping`` is set by SIGTERM and
    SIGINT; ``served`` tells the keeper that a lane is served.
    """

    pid: int
    holder: str
    dead: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    explained: tuple[str, ...]
    restarts: int
    stopping: threading.Event
    served: Callable[[], object] = field(default=lambda: None)


class Allowance:
    """How many ends are answered at once: ``most``, of which one comes back every ``every_s``.

    >>> allowance = Allowance(most=2, every_s=10.0, now_s=iter([0.0, 0.0, 1.0, 2.0, 15.0]).__next__)
    >>> [allowance.spend() for _ in range(4)]
    [True, True, False, True]
    """

    def __init__(
        self,
        *,
        most: int = 60,
        every_s: float = 1.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._every_s = every_s
        self._now_s = now_s
        self._left = float(most)
        self._at_s = now_s()

    def spend(self) -> bool:
        """Take one, if there is one left."""
        now_s = self._now_s()
        self._left = min(self._most, self._left + (now_s - self._at_s) / self._every_s)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def keep(
    work: Callable[[Kept], int],
    log: Any,
    hands: Hands,
    *,
    parent: int = 0,
    allowance: Allowance | None = None,
    pauses: Backoff | None = None,
) -> int:
    """Fork a process that does ``work``, and another whenever it ends by a fault.

    ``work`` notes in ``hands`` what it handles.

    Returns twice: in the forked process what ``work`` returned, in the keeper the exit code of the
    last process. Only a process whose ``work`` returned ended in order; any other end is a fault.
    When the allowance is spent, or a process ended by itself before it was any good, the keeper
    ends as its process did, by the same signal or with the same code, and whoever started it backs
    off. Without its ``parent``, if it has one, the keeper tells the process to drain.
    """
    allowance, restarts, words = allowance or Allowance(), 0, SimpleQueue[int]()
    pauses = pauses or Backoff(first_s=0.02, most_s=1.0)
    holder, dead, explained = holder_name(), tuple[str, ...](), tuple[str, ...]()
    suspects: tuple[Suspect, ...] = ()
    last: _End | None = None
    for number in _HANDLED:
        signal.signal(number, lambda number, _: words.put(number))
    while True:
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        keeper, (said, say), born_s = os.getpid(), os.pipe(), time.monotonic()
        child = os.fork()
        if child == 0:
            stopping = _begin(keeper)
            served = partial(os.write, say, _SERVED)
            code = work(Kept(keeper, holder, dead, suspects, explained, restarts, stopping, served))
            os.write(say, _IN_ORDER)
            return code
        os.close(say)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        code, told = _attend(child, words, parent)
        end = _End(code, _said(said), time.monotonic() - born_s, hands.emptied())
        pause_s = _pause_s(end, pauses)
        tired = pauses.tries > _MOST_PAUSES and not end.in_hand
        if told or end.in_order or end.is_final(last) or tired or not allowance.spend():
            return _end_as(code)
        last = end
        explained = (*explained, holder)[-_MOST_DEAD:] if end.left.whole else explained
        before = dead if end.lived_s < _INHERITED_AFTER_S else ()
        restarts, holder, dead = restarts + 1, holder_name(), (*before, holder)[-_MOST_DEAD:]
        suspects = (*suspects, *end.left.failed, *end.in_hand)[-_MOST_SUSPECTS:]
        log.error("process_ended", reason=_ending(code), restarts=restarts, pause_s=pause_s)
        if _told_within(pause_s, words, parent):
            return 0


@dataclass(frozen=True)
class _End:
    """How a process ended: its exit code, what it said, how long it lived, and what it left."""

    code: int
    said: bytes
    lived_s: float
    left: Left

    @property
    def in_hand(self) -> Sequence[Suspect]:
        return self.left.in_hand

    @property
    def in_order(self) -> bool:
        return _IN_ORDER in self.said

    @property
    def was_no_good(self) -> bool:
        """Whether it was never ready, and had no entry in hand that could be to blame."""
        return _SERVED not in self.said and not self.in_hand

    def is_final(self, last: "_End | None") -> bool:
        """Whether the next process would end in the same way, as the ``last`` one did."""
        if self.code >= 0 or not self.was_no_good:
            return self.was_no_good
        same = last is not None and last.was_no_good and last.code == self.code
        return same and self.code != -signal.SIGKILL


def _pause_s(end: _End, pauses: Backoff) -> float:
    """Seconds until the next process is forked."""
    if end.lived_s >= _CALM_S and _SERVED in end.said:
        pauses.reset()
    return 0.0 if end.in_hand else round(pauses.next_s(), 3)


def _told_within(pause_s: float, words: SimpleQueue[int], parent: int) -> bool:
    """Wait so long; whether the keeper was told to end meanwhile, or has lost its parent."""
    until_s = time.monotonic() + pause_s
    while (left_s := until_s - time.monotonic()) > 0:
        word = _next_word(words, min(1.0, left_s))
        if word in _ENDING or (parent and os.getppid() != parent):
            return True
    return False


def _next_word(words: SimpleQueue[int], within_s: float) -> int:
    """The next signal, or 0."""
    try:
        return words.get(timeout=within_s)
    except Empty:
        return 0


def _said(pipe: int) -> bytes:
    """What a process that has ended said; nothing where it said nothing.

    Processes of its own may live on with the other end, so nothing is waited for.
    """
    os.set_blocking(pipe, False)
    try:
        return os.read(pipe, 4096)
    except BlockingIOError:
        return b""
    finally:
        os.close(pipe)


def _begin(keeper: int) -> threading.Event:
    """In the forked process: handlers of its own, then whatever was sent meanwhile."""
    _die_with(keeper)
    stopping = threading.Event()

    def stop(*_: object) -> None:
        # A terminal's Ctrl-C comes twice, from it and from the keeper; a second handler within
        # the first would wait for the event's lock for ever.
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)
        stopping.set()

    for number in _ENDING:
        signal.signal(number, stop)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
    return stopping


def _die_with(keeper: int) -> None:
    """End with the keeper, so that its pid stands for both."""
    if not sys.platform.startswith("linux"):
        return  # the heartbeat notices
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:  # it died before the line above
        os.kill(os.getpid(), signal.SIGKILL)


def _attend(child: int, words: SimpleQueue[int], parent: int) -> tuple[int, bool]:
    """Wait for a process to end; its exit code, and whether it had been told to."""
    told = False
    while True:
        word = _next_word(words, 1.0)
        orphaned = parent and os.getppid() != parent and not told
        if word in _ENDING or orphaned:
            told = True
            os.kill(child, signal.SIGTERM)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), told


def _end_as(code: int) -> int:
    """The exit code of the keeper; it kills itself as its process was killed."""
    if code < 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _ending(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
