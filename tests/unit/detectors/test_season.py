"""A course of the day is learnt, taken out, and given up; what is none is left alone."""

from itertools import pairwise

import numpy as np
import pytest

from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from detectors.watch import DriftWatch
from detectors.watch.season import DAY_S, DAYS, Season, Times
from schemas.drift_settings import DriftSettings

PER_DAY = 2400
START_S = 20_000 * DAY_S


def times(days: int, per_day: int = PER_DAY) -> Floats:
    return START_S + np.arange(days * per_day) * (DAY_S / per_day)


def wave(at_s: Floats) -> Floats:
    return np.sin(2.0 * np.pi * at_s / DAY_S) + 0.4 * np.sin(4.0 * np.pi * at_s / DAY_S + 1.0)


def stream(days: int, amplitude: float, seed: int = 1) -> Floats:
    at_s = times(days)
    return np.random.default_rng(seed).normal(size=len(at_s)) + amplitude * wave(at_s)


def days_of_alarms(x: Floats, cuts: tuple[int, ...] = (), *, daily: bool = True) -> list[float]:
    settings = DriftSettings(daily=daily)
    watch, found, at_s = DriftWatch(settings), [], times(len(x) // PER_DAY)
    for begin, end in pairwise([0, *cuts, len(x)]):
        again = DriftWatch(settings)
        again.restore(unpack(pack(watch.state())))
        watch = again
        for each in watch.observe(("t",), x[begin:end, None], at_s[begin:end]):
            found.append((begin + each.row) / PER_DAY)
    return found


@pytest.mark.parametrize("amplitude", [0.5, 2.0, 3.0])
def test_a_course_of_the_day_is_no_drift_from_the_third_day_on(amplitude: float) -> None:
    x = stream(6, amplitude)
    assert [day for day in days_of_alarms(x) if day >= 2.0] == []
    assert len([day for day in days_of_alarms(x, daily=False) if day >= 2.0]) > 3


def test_a_drift_beside_the_course_is_found_once_and_said_to_be_beside_it() -> None:
    x, at_s = stream(6, 1.5, seed=2), times(6)
    x[int(4.3 * PER_DAY) :] += 1.0
    found = DriftWatch(DriftSettings()).observe(("t",), x[:, None], at_s)
    [late] = [each for each in found if each.row >= 2 * PER_DAY]
    assert 0 <= late.row - int(4.3 * PER_DAY) <= 150
    assert late.explanation.endswith("its usual course of the day is taken out")
    assert late.detection.effect == pytest.approx(1.0, abs=0.6)


def test_values_without_a_course_are_left_as_they_are() -> None:
    rng, at_s = np.random.default_rng(4), times(5)
    walk = np.cumsum(rng.normal(size=len(at_s)))
    for x in (rng.normal(size=len(at_s)), walk, np.zeros(len(at_s))):
        season = Season()
        parts = list(season.parts(x, Times.of(at_s)))
        assert not season.is_active
        assert np.array_equal(np.concatenate([part.values for part in parts]), x)


def test_days_with_few_values_are_not_learnt_from() -> None:
    at_s, season = times(5, per_day=1900), Season()
    list(season.parts(5.0 * wave(at_s), Times.of(at_s)))
    assert not season.is_active


def test_a_day_unlike_the_others_does_not_spoil_the_course() -> None:
    x, season = stream(6, 1.5), Season()
    x[3 * PER_DAY + 900 : 4 * PER_DAY] += 1e300
    *_, last = season.parts(x, Times.of(times(6)))
    assert season.is_active
    assert last.values.std() == pytest.approx(1.0, abs=0.1)


def test_a_course_that_ends_is_given_up() -> None:
    x, season = stream(12, 1.5), Season()
    x[6 * PER_DAY :] = np.random.default_rng(2).normal(size=6 * PER_DAY)
    anew = [
        part.rows.start // PER_DAY for part in season.parts(x, Times.of(times(12))) if part.anew
    ]
    assert len(anew) == 2
    assert anew[0] == 2
    assert 7 <= anew[1] <= 6 + DAYS
    assert not season.is_active


@pytest.mark.parametrize(
    "cuts", [(1, 2399, 2400, 2401, 7000), (4800,), tuple(range(50, 9600, 617))]
)
def test_any_split_gives_the_same_alarms_and_state(cuts: tuple[int, ...]) -> None:
    x = stream(4, 1.5)
    x[::7] = np.nan
    assert days_of_alarms(x, cuts) == days_of_alarms(x)
    whole, split = Season(), Season()
    list(whole.parts(x, Times.of(times(4))))
    for begin, end in pairwise([0, *cuts, len(x)]):
        split.restore(unpack(pack(split.state())))
        list(split.parts(x[begin:end], Times.of(times(4)[begin:end])))
    assert pack(split.state()) == pack(whole.state())


def test_times_that_go_back_or_are_none_belong_to_the_present_day() -> None:
    season, at_s = Season(), np.array([3.0, 1.0, np.nan, np.inf, 3.5]) * DAY_S
    [part] = season.parts(np.ones(5), Times.of(at_s))
    assert season.state()["day"] == 3
    assert np.array_equal(part.values, np.ones(5))


@pytest.mark.parametrize(
    "odd", [{"days": np.zeros((9, 48))}, {"sums": 1}, {"counts": -np.ones(48)}]
)
def test_damaged_states_are_refused(odd: dict) -> None:
    with pytest.raises(StateError):
        Season().restore({**Season().state(), **odd})
