"""How many processes are asked for: in bounds, quickly up, slowly down, without flapping."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.replicas import Replicas
from schemas.topology import Topology
from streams.observe import GroupState, StreamState
from supervisor.scaler import Scaler, lag_of, processes_at_first
from supervisor.scaling import Pace, Seen, decide
from tests.unit.supervisor.stand_ins import topology

BOUNDS = Replicas(min=1, max=4, lag=1000, calm=300.0)
EVERY_S = 5.0

bounds = st.builds(
    lambda low, more, lag, calm: Replicas(min=low, max=low + more, lag=lag, calm=calm),
    st.integers(0, 4), st.integers(0, 6), st.integers(1, 5000), st.floats(1, 600),
)  # fmt: skip


@given(bounds, st.integers(0, 12), st.lists(st.integers(0, 100_000), max_size=80))
def test_the_number_is_never_outside_of_its_range(
    within: Replicas, processes: int, lags: list[int]
) -> None:
    pace = Pace()
    for n, lag in enumerate(lags):
        decision, pace = decide(within, processes, pace, Seen(n * EVERY_S, lag))
        processes = decision.processes
        assert within.min <= processes <= within.max


@given(bounds, st.lists(st.integers(0, 100_000), min_size=1, max_size=60), st.integers(0, 12))
def test_the_same_looks_lead_to_the_same_decision(
    within: Replicas, lags: list[int], processes: int
) -> None:
    def run() -> list[int]:
        pace, now, found = Pace(), processes, []
        for n, lag in enumerate(lags):
            decision, pace = decide(within, now, pace, Seen(n * EVERY_S, lag))
            now = decision.processes
            found.append(now)
        return found

    assert run() == run()


class Plant:
    """A queue that processes empty, each at the same rate, and a producer with its own."""

    def __init__(self, within: Replicas, seed: int, rate: float = 400.0) -> None:
        self.within, self.rate, self.rng = within, rate, random.Random(seed)
        self.processes, self.lag, self.pace, self.at_s = within.min, 0.0, Pace(), 0.0
        self.changes: list[tuple[float, int]] = []

    def run(self, for_s: float, arrivals: float, spread: float = 0.3) -> None:
        for _ in range(int(for_s / EVERY_S)):
            self.at_s += EVERY_S
            came = max(0.0, self.rng.gauss(arrivals, spread * arrivals)) * EVERY_S
            self.lag = max(0.0, self.lag + came - self.rate * self.processes * EVERY_S)
            decision, self.pace = decide(
                self.within, self.processes, self.pace, Seen(self.at_s, int(self.lag))
            )
            if decision.processes != self.processes:
                assert decision.why
                self.changes.append((self.at_s, decision.processes))
            self.processes = decision.processes


@pytest.mark.parametrize("seed", range(8))
def test_noise_that_one_process_can_bear_changes_nothing(seed: int) -> None:
    plant = Plant(BOUNDS, seed)
    plant.run(4 * 3600, arrivals=250)
    assert plant.changes == []


@pytest.mark.parametrize("seed", range(8))
def test_a_burst_is_met_within_a_minute_and_left_only_after_calm(seed: int) -> None:
    plant = Plant(BOUNDS, seed)
    plant.run(600, arrivals=100)
    plant.run(120, arrivals=1300)
    assert plant.processes == 4
    assert next(at_s for at_s, n in plant.changes if n > 1) <= 640
    ended_s = plant.at_s
    plant.run(3600, arrivals=100)
    assert plant.processes == 1
    last_up_s = max(at_s for at_s, n in plant.changes if at_s <= ended_s)
    downs = [at_s for at_s, n in plant.changes if at_s > ended_s]
    assert all(b - a >= BOUNDS.calm for a, b in pairwise([last_up_s, *downs]))


@pytest.mark.parametrize("seed", range(8))
def test_a_load_between_two_numbers_is_tried_ever_more_rarely(seed: int) -> None:
    plant = Plant(BOUNDS, seed)
    plant.run(6 * 3600, arrivals=600, spread=0.2)  # one process is too few, two have no lag
    first = [at_s for at_s, _ in plant.changes if at_s <= 2 * 3600]
    last = [at_s for at_s, _ in plant.changes if at_s > 4 * 3600]
    assert len(last) < len(first)
    assert len(plant.changes) <= 20


def test_a_slope_asks_before_the_lag_does() -> None:
    pace, found = Pace(), []
    for n in range(8):
        decision, pace = decide(BOUNDS, 1, pace, Seen(n * EVERY_S, n * 120))
        found.append((decision.processes, decision.why))
    assert found[:6] == [(1, "")] * 6
    assert found[6] == (2, "720 entries wait, and in 30 s 1,440 would")


def test_one_look_alone_asks_for_nothing() -> None:
    pace = Pace()
    for n, lag in enumerate([0, 0, 9000, 0, 0]):
        decision, pace = decide(BOUNDS, 1, pace, Seen(n * EVERY_S, lag))
        assert decision.processes == 1


def test_a_number_outside_of_a_new_range_is_brought_in_at_once() -> None:
    assert decide(BOUNDS, 9, Pace(), Seen(0.0, 0))[0].processes == 4
    assert decide(BOUNDS, 0, Pace(), Seen(0.0, 0))[0].processes == 1


def ranged(**settings: object) -> Topology:
    found = topology()
    workers = {
        name: worker.model_copy(update={"replicas": BOUNDS})
        for name, worker in found.workers.items()
    }
    return found.model_copy(update={"workers": workers, **settings})


def streams(**lags: int | None) -> list[StreamState]:
    return [
        StreamState(name, 9, 9, (GroupState("gate" if name == "IN" else "pass", lag, 0, 1),))
        for name, lag in lags.items()
    ]


def looked(scaler: Scaler, found: Topology, by_hand: set[str], lag: int | None) -> set[str]:
    seen = streams(IN=lag, OK=lag)
    wanted = {"gate": 1, "pass": 1}
    asked: set[str] = set()
    for n in range(4):
        asked |= set(scaler.look(n * EVERY_S, found, wanted, by_hand, seen))
    return asked


def test_only_workers_without_state_follow_the_lag_and_none_that_was_scaled_by_hand() -> None:
    assert looked(Scaler(), ranged(), set(), 9000) == {"gate"}
    assert looked(Scaler(), ranged(), {"gate"}, 9000) == set()
    assert looked(Scaler(), topology(), set(), 9000) == set()


def test_a_lag_that_the_server_cannot_tell_decides_nothing() -> None:
    assert looked(Scaler(), ranged(), set(), None) == set()
    assert lag_of(topology(), "gate", streams(IN=None)) is None
    assert lag_of(topology(), "gate", streams(IN=7, OK=2)) == 7


def test_what_owns_its_lanes_has_one_process_a_lane_within_its_range() -> None:
    counts = [processes_at_first(ranged(lanes=lanes), "pass") for lanes in (1, 3, 8)]
    assert counts == [1, 3, 4]
    assert processes_at_first(ranged(lanes=8), "gate") == 1
