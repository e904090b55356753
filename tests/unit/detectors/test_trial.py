"""The trial of detectors: what it finds of shifts, what it recommends, and that it repeats."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from detectors.trial import Row, Traffic, Trial, TrialSettings, advise, candidates
from detectors.trial.candidates import Candidate
from detectors.trial.shifts import places, unit
from schemas.anomaly_settings import AnomalySettings
from schemas.drift_settings import DriftSettings

N = 4_000
SETTINGS = TrialSettings(shifts=6)


def traffic(seed: int = 1, n: int = N) -> Traffic:
    x = np.random.default_rng(seed).normal(size=(n, 2))
    return Traffic(tuple("ab"[row % 2] for row in range(n)), ("p", "q"), x, np.arange(n) * 10.0)


def row_of(name: str, settings: TrialSettings = SETTINGS, seed: int = 1) -> Row:
    ticks = count()
    trial = Trial(traffic(seed), settings, lambda: float(next(ticks)))
    return trial.row(named(name))


def named(name: str) -> Candidate:
    return next(each for each in candidates({}) if each.name == name)


def test_a_large_shift_is_found_and_a_small_one_later_or_not() -> None:
    row = row_of("conformal")
    assert row.at(8.0).share == 1.0
    assert row.at(8.0).delay is not None
    assert row.by_chance.share <= 0.2
    late = row.at(1.0).delay
    assert late is None or late >= row.at(8.0).delay  # type: ignore[operator]


def test_who_always_fires_finds_everything_also_without_a_shift() -> None:
    row = row_of("always fires")
    assert row.alarms == N
    assert row.by_chance.share == 1.0
    assert row.net(2.0) == 0.0
    assert row.per_10k == 10_000.0


def test_who_never_fires_finds_nothing() -> None:
    row = row_of("never fires")
    assert (row.alarms, row.at(8.0).share, row.at(8.0).delay) == (0, 0.0, None)


@pytest.mark.parametrize("name", ["robust_z", "conformal", "half_space_trees", "kswin"])
def test_the_same_seed_gives_the_same_figures(name: str) -> None:
    assert row_of(name) == row_of(name)


def test_another_seed_draws_other_places() -> None:
    drawn = places(traffic(), 10, 300, seed=1)
    assert drawn == places(traffic(), 10, 300, seed=1)
    assert drawn != places(traffic(), 10, 300, seed=2)


def test_places_leave_room_for_the_horizon_and_a_past() -> None:
    for place in places(traffic(), 40, 300, seed=3):
        assert 1_000 <= place.row <= 2_000 - 300


def test_short_keys_and_constant_columns_get_no_shift() -> None:
    assert places(traffic(n=2_000), 10, 300, seed=1) == []
    still = traffic()
    still.x[:, 0] = 5.0
    assert {place.column for place in places(still, 20, 300, seed=1)} == {1}
    still.x[:, 1] = np.nan
    assert places(still, 20, 300, seed=1) == []


def test_the_unit_is_a_robust_standard_deviation() -> None:
    values = np.random.default_rng(1).normal(scale=3.0, size=20_000)
    values[::50] = 1e6
    assert unit(values) == pytest.approx(3.0, rel=0.05)
    assert unit(np.array([np.nan])) == 0.0


def test_alarms_a_day_follow_the_traffic_or_the_rate_that_is_given() -> None:
    row = row_of("robust_z")
    assert row.per_day == pytest.approx(row.alarms * 86_400 / (N * 10.0), rel=0.01)
    given = row_of("robust_z", replace(SETTINGS, per_day=1_000.0))
    assert given.per_day == pytest.approx(row.alarms * 1_000.0 / N)


def test_costs_are_told_by_the_clock_that_is_given() -> None:
    assert row_of("never fires").cpu_us == pytest.approx(1e6 / N)


def test_every_detector_of_values_stands_trial_and_what_is_configured() -> None:
    configured = {
        "anomaly": AnomalySettings.model_validate({"limits": {"limits": {"p": [0, 1]}}}),
        "drift": DriftSettings.model_validate({"adwin": {"delta": 0.01}, "errors": ["q"]}),
    }
    names = [each.name for each in candidates(configured)]
    assert len(names) == len(set(names))
    for name in ("worker anomaly", "worker drift", "novelty", "loda", "psi", "presence", "ddm"):
        assert name in names
    assert any(name.startswith("limits") for name in names)
    assert "adwin delta 0.01" in names
    assert "ddm" not in [each.name for each in candidates({})]


def test_the_settings_switch_on_what_was_tried_and_nothing_else() -> None:
    for each in candidates({}):
        if each.family == "anomaly":
            AnomalySettings.model_validate(each.settings)
        if each.family == "drift":
            DriftSettings.model_validate(each.settings)
    assert named("novelty").settings == {"half_space_trees": None, "novelty": {}}
    assert named("ks").settings == {"conformal": None, "ks": {}}


def advised(*rows: Row, most: float = 20.0) -> dict[str, tuple[str | None, str]]:
    found = advise(rows, most)
    return {each.family: (each.row and each.row.name, each.reason) for each in found}


def test_the_cheapest_of_those_that_do_about_as_well_is_recommended() -> None:
    good = row_of("conformal")
    cheap = replace(good, name="cheap", cpu_us=good.cpu_us / 2)
    loud = replace(good, name="loud", cpu_us=0.001, per_day=10_000.0)
    name, reason = advised(good, cheap, loud)["drift"]
    assert name == "cheap"
    assert "cheapest" in reason


def test_nobody_is_recommended_for_firing_always() -> None:
    always = replace(row_of("always fires"), family="drift", per_day=1.0)
    assert advised(always)["drift"][0] is None


def test_where_all_are_too_loud_the_quietest_is_named() -> None:
    loud = replace(row_of("conformal"), per_day=500.0)
    name, reason = advised(loud)["drift"]
    assert name is None
    assert "the quietest is conformal with 500" in reason


def test_without_a_shift_nothing_is_recommended() -> None:
    name, reason = advised(replace(row_of("conformal"), n_shifts=0))["drift"]
    assert name is None
    assert "no key has messages enough" in reason
