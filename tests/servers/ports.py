"""Ports for the tests' servers: below those that the kernel gives away, and none twice.

A server that was killed must get its port back. One of the kernel's own may meanwhile belong to
the outgoing end of any connection, or to a server of a test that runs beside this one.
"""

import os
import random
import socket
from collections.abc import Iterator
from functools import cache

_FIRST, _PAST = 10_000, 20_000
_BUS = 10_000  # a cluster's node listens here, too, that much higher


def free_port() -> int:
    """A loopback port on which nobody listens, and on the one for a cluster's bus neither."""
    return next(port for port in _candidates() if _is_free(port) and _is_free(port + _BUS))


@cache
def _candidates() -> Iterator[int]:
    """Those of this process in any order; processes that pytest-xdist started share none."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ours = range(_FIRST + number, _PAST, count)
    return iter(random.SystemRandom().sample(ours, len(ours)))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
