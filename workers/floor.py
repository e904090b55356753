"""One process, several lanes: who may be at work beside whom.

An entry that ends its process takes down the lanes beside its own, and everything in flight there
gains an attempt with it. So whatever may be such an entry is handled while nothing else is.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Floor:
    """Shared by the lanes of a process. Who wants to be alone waits for the others, and they for
    it; a lane that waits to be alone goes first.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._at_work = 0
        self._waiting = 0
        self._taken = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """At work beside others; waits while somebody is alone or waits to be."""
        with self._condition:
            self._condition.wait_for(lambda: not self._taken and not self._waiting)
            self._at_work += 1
        try:
            yield
        finally:
            with self._condition:
                self._at_work -= 1
                self._condition.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """At work while no other lane is."""
        with self._condition:
            self._waiting += 1
            self._condition.wait_for(lambda: not self._taken and not self._at_work)
            self._waiting -= 1
            self._taken = True
        try:
            yield
        finally:
            with self._condition:
                self._taken = False
                self._condition.notify_all()
