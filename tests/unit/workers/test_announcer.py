"""The line in the presence list is renewed in time, however the machine's clock is set."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topology_file import load_topology
from streams.checkpoint import Seal
from streams.connection import Client, connect
from streams.keys import Lane
from streams.presence import Presence
from workers import announcer as module
from workers.announcer import Announcer
from workers.metrics import Metrics
from workers.standing import Standing
from workers.station import take_station

TOPOLOGY = load_topology(Path(__file__).parents[3] / "streams.yaml")
LEASE_S = 9.0


class Teller:
    """An announcer whose turns are taken by hand; ``told`` is what it wrote."""

    def __init__(self, client: Client, told: list[Presence]) -> None:
        self.told = told
        self.epoch_s, self.monotonic_s = 1_000_000.0, 50.0
        self.standing = Standing()
        station = take_station(client, TOPOLOGY, "gate", Lane(), Seal(b"sixteen bytes ok"))
        station.lease.ttl_s = LEASE_S
        self._announcer = Announcer(
            station,
            self.standing,
            Metrics("gate", "gate", 0.0),
            host="127.0.0.1",
            port=1,
            now_s=lambda: self.epoch_s,
            monotonic_s=lambda: self.monotonic_s,
        )

    def turns(self, count: int, every_s: float = 0.1) -> int:
        """So many turns; how many lines were written."""
        before = len(self.told)
        for _ in range(count):
            self.epoch_s += every_s
            self.monotonic_s += every_s
            self._announcer._turn()
        return len(self.told) - before


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch) -> Iterator[Teller]:
    told: list[Presence] = []
    monkeypatch.setattr(module, "announce", lambda _, line: told.append(line))
    with connect("redis://127.0.0.1:1") as client:
        yield Teller(client, told)


def test_it_tells_at_once_at_every_change_and_three_times_a_lease(teller: Teller) -> None:
    assert teller.turns(1) == 1
    assert teller.turns(25) == 0
    teller.standing.enter("running")
    assert teller.turns(1) == 1
    assert teller.turns(13, every_s=0.75) == 3
    assert [line.state for line in teller.told] == ["starting"] + ["running"] * 4


@pytest.mark.parametrize("set_by_s", [-3600.0, 3600.0])
def test_a_line_is_renewed_in_time_however_the_clock_is_set(
    teller: Teller, set_by_s: float
) -> None:
    teller.turns(1)
    teller.epoch_s += set_by_s
    assert teller.turns(4, every_s=0.75) >= 1
    assert teller.told[-1].expires_at_s == pytest.approx(teller.epoch_s + LEASE_S + 1.0, abs=3.0)


def test_a_line_that_ran_out_because_the_clock_was_set_on_is_renewed_at_once(
    teller: Teller,
) -> None:
    teller.turns(1)
    teller.epoch_s += 3600.0
    assert teller.turns(1) == 1
    assert teller.turns(1) == 0
