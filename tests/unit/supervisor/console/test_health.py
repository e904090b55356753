"""One word for how a worker stands, and for how it keeps up with a stream."""

import pytest

from supervisor.console.health import Health, of_input, of_worker
from supervisor.console.rates import Rates
from supervisor.overview import ProcessView, WorkerView


def worker(ready: int, wanted: int | None, processes: int = 2) -> WorkerView:
    one = ProcessView(process="gate", pid=1, state="running", ready=True)
    return WorkerView(
        worker="gate", kind="gate", wanted=wanted, ready=ready, state="running", restarts=0,
        rss_bytes=0, processes=(one,) * processes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ready", "wanted", "health"),
    [
        (2, 2, Health.OK),
        (1, 2, Health.PARTIAL),
        (0, 2, Health.DOWN),
        (0, 0, Health.PAUSED),
        (2, None, Health.OK),
        (1, None, Health.PARTIAL),
    ],
)
def test_a_worker_is_as_well_as_its_processes(
    ready: int, wanted: int | None, health: Health
) -> None:
    assert of_worker(worker(ready, wanted)) is health


@pytest.mark.parametrize(
    ("lag", "pending", "rate", "health"),
    [
        (None, 3, 1.0, Health.UNKNOWN),
        (0, 0, 0.0, Health.OK),
        (9, 0, None, Health.OK),
        (0, 9, 0.0, Health.STUCK),
        (9, 0, 0.0, Health.STUCK),
        (50, 0, 10.0, Health.OK),
        (51, 0, 10.0, Health.BEHIND),
    ],
)
def test_an_input_is_judged_by_what_waits_against_what_is_done(
    lag: int | None, pending: int, rate: float | None, health: Health
) -> None:
    assert of_input(lag, pending, rate) is health


def test_a_rate_is_that_of_the_last_seconds() -> None:
    rates: Rates[str] = Rates(window_s=4.0)
    for second, total in enumerate([0, 100, 200, 200, 200, 200, 200, 200]):
        rates.seen(float(second), {"in": total})
    assert rates.of("in") == 0.0


def test_there_is_no_rate_over_a_time_when_nobody_looked() -> None:
    rates: Rates[str] = Rates(window_s=4.0)
    rates.seen(0.0, {"in": 0})
    rates.seen(1.0, {"in": 10})
    rates.seen(100.0, {"in": 500})
    assert rates.of("in") is None
    rates.seen(101.0, {"in": 510})
    assert rates.of("in") == 10.0


def test_a_counter_that_fell_has_no_rate() -> None:
    rates: Rates[str] = Rates()
    rates.seen(0.0, {"in": 10})
    rates.seen(1.0, {"in": 3})
    assert rates.of("in") is None
