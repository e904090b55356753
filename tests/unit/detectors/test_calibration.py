"""The calibration error: right for known cases, silent without a change, the same in any split."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.calibration import Calibration, calibration_error, error_margin
from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from schemas.label_settings import CalibrationSettings

QUICK = CalibrationSettings(n_ref=200, n_cur=150, stride=20)


def pairs(
    seed: int, n: int, lost: Floats | float = 0.0, least: float = 0.6
) -> tuple[Floats, Floats]:
    """Confidences from ``least`` on, and errors that come ``lost`` more often than these say."""
    rng = np.random.default_rng(seed)
    confidences = rng.uniform(least, least + 0.4, size=n)
    return confidences, (rng.random(n) > confidences - lost).astype(np.float64)


def test_the_error_is_the_mean_distance_of_confidence_and_accuracy() -> None:
    confidences, right = np.repeat([0.95, 0.65], 100), np.tile([1.0, 0.0], 100)
    assert calibration_error(confidences, right) == pytest.approx((0.45 + 0.15) / 2)
    assert calibration_error(np.ones(5), np.ones(5)) == 0.0
    assert calibration_error(np.zeros(0), np.zeros(0)) == 0.0


def test_the_margin_holds_for_models_that_are_calibrated() -> None:
    beyond = 0
    for seed in range(300):
        confidences, errors = pairs(seed, 500)
        found = calibration_error(confidences, 1.0 - errors)
        beyond += found > error_margin(confidences, 1.0 - errors, 10, 0.05)
    assert beyond <= 15  # 5 % of 300


@pytest.mark.parametrize("lost", [0.0, 0.15])
def test_a_model_that_stays_as_it_is_is_no_finding(lost: float) -> None:
    for seed in range(20):
        assert Calibration().update(*pairs(seed, 5000, lost)) == []


@pytest.mark.parametrize(("lost", "least"), [(0.2, 0.6), (-0.2, 0.3)])
def test_a_model_that_becomes_over_or_underconfident_is_found(lost: float, least: float) -> None:
    confidences, errors = pairs(1, 6000, np.repeat([0.0, lost], 3000), least)
    [found] = Calibration().update(confidences, errors)
    assert 3000 < found.row < 4200
    assert found.measured.value > found.measured.threshold
    assert found.measured.statistic == "expected_calibration_error"


def test_the_error_of_the_window_can_be_read() -> None:
    calibration = Calibration(QUICK)
    assert calibration.error is None
    calibration.update(*pairs(1, 400))
    assert calibration.error is not None
    assert 0.0 <= calibration.error < 0.1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), cuts=st.lists(st.integers(0, 1500), max_size=8))
def test_any_split_gives_the_same_detections_and_state(seed: int, cuts: list[int]) -> None:
    confidences, errors = pairs(seed, 1500, np.repeat([0.0, 0.4], 750))
    confidences[::7] = np.nan
    whole, split = Calibration(QUICK), Calibration(QUICK)
    expected = [(each.row, each.measured) for each in whole.update(confidences, errors)]
    found = []
    for begin, end in pairwise([0, *sorted(cuts), 1500]):
        split.restore(unpack(pack(split.state())))
        part = split.update(confidences[begin:end], errors[begin:end])
        found += [(begin + each.row, each.measured) for each in part]
    assert found == expected
    assert len(found) >= 1
    assert pack(split.state()) == pack(whole.state())


def test_damaged_states_are_refused() -> None:
    calibration = Calibration(QUICK)
    calibration.update(*pairs(1, 300))
    state = calibration.state()
    for damage in ({"baseline": np.zeros((2, 10))}, {"window": np.zeros(3)}, {"baseline": None}):
        with pytest.raises(StateError):
            Calibration(QUICK).restore({**state, **damage})
