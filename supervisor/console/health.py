"""How workers and their inputs stand, as one word each, so that no colour has to say it alone."""

from enum import StrEnum

from supervisor.overview import WorkerView

BEHIND_S = 5.0
"""An input is behind when working off what waits in it would take longer than that."""


class Health(StrEnum):
    """From good to bad, and what cannot be told."""

    OK = "ok"
    PAUSED = "paused"
    BEHIND = "behind"
    PARTIAL = "partial"
    STUCK = "stuck"
    DOWN = "down"
    UNKNOWN = "unknown"


def of_worker(worker: WorkerView) -> Health:
    """``partial``: some of its processes are not ready; ``down``: none is."""
    if worker.wanted == 0:
        return Health.PAUSED
    if worker.ready == 0:
        return Health.DOWN
    if worker.ready < (worker.wanted or len(worker.processes)):
        return Health.PARTIAL
    return Health.OK


def of_input(lag: int | None, pending: int, rate: float | None) -> Health:
    """How a worker's group stands on a stream: what waits there against what it gets done.

    >>> str(of_input(0, 0, 3.0)), str(of_input(100, 0, 3.0)), str(of_input(100, 0, 0.0))
    ('ok', 'behind', 'stuck')
    """
    if lag is None:
        return Health.UNKNOWN
    waiting = lag + pending
    if waiting == 0 or rate is None:
        return Health.OK
    if rate == 0.0:
        return Health.STUCK
    return Health.BEHIND if waiting / rate > BEHIND_S else Health.OK
