"""What a worker process leaves behind when it is killed: its leases, and its lines in the list.

The supervisor sees the end of its own processes, so it need not wait for the lease to run out. The
entries that were in flight are taken over at once, before newer ones are read.
"""

import time
from collections.abc import Callable, Collection
from itertools import chain

from streams.connection import Client
from streams.keys import Lane
from streams.lease import break_lease
from streams.presence import present, withdraw
from supervisor.announced import of_this_machine


class Estate:
    """Settles what is left of our processes that ended. ``lanes`` as in the topology."""

    def __init__(self, lanes: int, *, now_s: Callable[[], float] = time.time) -> None:
        self._lanes = lanes
        self._now_s = now_s
        self._alive: frozenset[int] = frozenset()
        self._dead: set[int] = set()

    def note(self, alive: Collection[int]) -> None:
        """Note which of our process ids are alive; those that no longer are have ended.

        Of one that a new process has by now nothing is settled any more: it would be that one's.
        """
        self._dead = (self._dead | self._alive).difference(alive)
        self._alive = frozenset(alive)

    def settle(self, client: Client) -> list[str]:
        """Break the leases of the processes that ended; return the workers whose they were.

        A worker announces each lane before it takes its lease, so there is a line for every lease.

        Raises what the server raises; what was not settled is tried again at the next call.
        """
        if not self._dead:
            return []
        settled = []
        processes = of_this_machine(present(client, self._now_s()))
        lines = [each.lines for each in processes if each.presence.pid in self._dead]
        for line in chain.from_iterable(lines):
            if break_lease(client, Lane(line.lane, self._lanes), line.worker, line.consumer):
                settled.append(line.worker)
            withdraw(client, line.field)
        self._dead.clear()
        return list(dict.fromkeys(settled))
