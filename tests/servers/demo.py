"""The demo's player before workers in this process, and what its report has to say."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.topology import Topology
from streams.connection import Client
from supervisor.demo.course import course_of
from supervisor.demo.play import Player, Settings
from supervisor.demo.report import Report
from tests.servers.pipeline import Running, working

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "streams.yaml"
MOST = 1_000  # readings of each of the two sensors
TOTAL = 2 * MOST + 12


@contextmanager
def staffed(client: Client, topology: Topology) -> Iterator[list[Running]]:
    """All workers of the topology while the block lasts; at its end all stop at once."""
    with working(client, topology, *topology.workers) as workers:
        yield workers
        for worker in workers:
            worker.standing.stopping.set()


class Waiting:
    """Waits for real where that is needed, and says stop at the wait of a given number."""

    def __init__(self, stop_at: int | None = None) -> None:
        self._left = stop_at

    def __call__(self, seconds: float) -> bool:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                return True
        return threading.Event().wait(min(seconds, 0.02))


def player(
    client: Client, topology: Topology, directory: Path, stop_at: int | None = None
) -> Player:
    course = course_of(topology, REFERENCE)
    return Player(client, topology, course, directory, Waiting(stop_at), lambda: None)


def play(client: Client, topology: Topology, directory: Path) -> tuple[Report, bool]:
    found = player(client, topology, directory)
    book, again = found.begin(MOST)
    return found.play(book, Settings(MOST)), again


def assert_all_there(report: Report) -> None:
    account = report.account
    assert account.balanced
    assert (account.published, account.valid, account.rejected) == (TOTAL, 2 * MOST, 12)
    assert (account.duplicates, account.dead, account.others) == (0, 0, 0)
    assert sum(report.reasons.values()) == 12
