"""One process, several lanes: who may be at work beside whom.

An entry that ends its process takes down the lanes beside its own, and everything in flight there
gains an attempt with it. So whatever may be such an entry is handled while nothing else is.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Floor:
    """Shared by the lanes of a process. Who wants to be alone waits for the others, and they for
    it; a lane that waits to be alone goes first, but others have a turn after every ``patience_s``
    seconds of somebody's being alone.
    """

    def __init__(self, patience_s: float = 0.1) -> None:
        self._patience_s = patience_s
        self._alone_s = self._since_s = 0.0
        self._condition = threading.Condition()
        self._at_work = 0
        self._waiting = 0  # to be alone
        self._queued = 0  # to be at work beside others
        self._owed = 0  # of those, who goes before the next that wants to be alone
        self._taken = False

    @contextmanager
    def shared(self) -> Iterator[bool]:
        """At work beside others; waits while somebody is alone or waits to be.

        Yields whether somebody who wants to be alone has to wait until we are done, so that we
        should wait for nothing.
        """
        hurried = self._begin_shared()
        try:
            yield hurried
        finally:
            self._end_shared()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """At work while no other lane is."""
        self._begin_alone()
        try:
            yield
        finally:
            self._end_alone()

    @contextmanager
    def left(self) -> Iterator[None]:
        """For who is at work: away from it for a while, as while a handler cannot go on."""
        alone = self._taken  # then nobody else is at work
        (self._end_alone if alone else self._end_shared)()
        try:
            yield
        finally:
            (self._begin_alone if alone else self._begin_shared)()

    def _begin_shared(self) -> bool:
        with self._condition:
            self._queued += 1
            self._condition.wait_for(
                lambda: not self._taken and (self._owed > 0 or not self._waiting)
            )
            self._queued -= 1
            hurried = self._owed > 0
            self._owed = max(0, self._owed - 1)
            self._at_work += 1
            self._condition.notify_all()
            return hurried

    def _end_shared(self) -> None:
        with self._condition:
            self._at_work -= 1
            self._condition.notify_all()

    def _begin_alone(self) -> None:
        with self._condition:
            self._waiting += 1
            self._condition.wait_for(
                lambda: not self._taken and not self._at_work and not self._owed
            )
            self._waiting -= 1
            self._taken = True
            self._since_s = time.monotonic()

    def _end_alone(self) -> None:
        with self._condition:
            self._taken = False
            self._alone_s += time.monotonic() - self._since_s
            if self._alone_s >= self._patience_s:
                self._alone_s, self._owed = 0.0, self._queued
            self._condition.notify_all()
