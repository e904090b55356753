"""The classic detectors against River's, whose alarms they are to give."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from river.drift import ADWIN, KSWIN, PageHinkley
from river.drift.binary import DDM, EDDM, FHDDM, HDDMA, HDDMW

from detectors.drift import page_hinkley
from detectors.drift.adwin_errors import AdwinErrors
from detectors.drift.ddm import Ddm
from detectors.drift.eddm import Eddm
from detectors.drift.fhddm import Fhddm
from detectors.drift.hddm_a import HddmA
from detectors.drift.hddm_w import HddmW
from detectors.drift.kswin import Kswin, critical_distance, tail
from detectors.values import Floats
from schemas.drift_error_settings import FhddmSettings, HddmASettings, HddmWSettings
from schemas.drift_settings import AdwinErrorsSettings, KswinSettings, PageHinkleySettings

Pair = tuple[Callable[[], Any], Callable[[], Any]]

OF_ERRORS: dict[str, Pair] = {
    "DDM": (Ddm, DDM),
    "EDDM": (Eddm, EDDM),
    "HDDM_A": (HddmA, HDDMA),
    "HDDM_A both": (
        lambda: HddmA(HddmASettings(direction="both", alpha=0.01)),
        lambda: HDDMA(two_sided_test=True, drift_confidence=0.01),
    ),
    "HDDM_W": (HddmW, HDDMW),
    "HDDM_W both": (
        lambda: HddmW(HddmWSettings(direction="both", decay=0.1)),
        lambda: HDDMW(two_sided_test=True, lambda_val=0.1),
    ),
    "ADWIN": (
        lambda: AdwinErrors(AdwinErrorsSettings(delta=0.002, rearm=0)),
        lambda: ADWIN(delta=0.002),
    ),
}


def _rivers(detector: Any, x: Floats, feed: Callable[[float], float] = float) -> list[int]:
    found = []
    for row, value in enumerate(x.tolist()):
        detector.update(feed(value))
        if detector.drift_detected:
            found.append(row)
    return found


def _ours(detector: Any, x: Floats) -> list[int]:
    return [found.row for found in detector.update(x)]


def _errors(seed: int, rates: list[float], length: int) -> Floats:
    """Errors at these rates, one after another; never 20 right ones in a row."""
    rng = np.random.default_rng(seed)
    errors = rng.random(len(rates) * length) < np.repeat(rates, length)
    errors[::20] = True
    return errors.astype(np.float64)


streams = st.builds(
    _errors,
    st.integers(0, 2**16),
    st.lists(st.floats(0.02, 0.9), min_size=1, max_size=4),
    st.integers(50, 600),
)


@pytest.mark.parametrize("name", OF_ERRORS)
@settings(max_examples=40, deadline=None)
@given(x=streams)
def test_detectors_of_errors_alarm_where_rivers_do(name: str, x: Floats) -> None:
    ours, rivers = OF_ERRORS[name]
    assert _ours(ours(), x) == _rivers(rivers(), x, int)


@settings(max_examples=40, deadline=None)
@given(x=streams, window=st.integers(10, 150))
def test_fhddm_alarms_where_rivers_does_when_fed_what_is_right(x: Floats, window: int) -> None:
    ours = Fhddm(FhddmSettings(window=window, alpha=1e-3))
    rivers = FHDDM(sliding_window_size=window, confidence_level=1e-3)
    assert _ours(ours, x) == _rivers(rivers, x, lambda error: 1 - int(error))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**16), scale=st.floats(0.1, 30.0), direction=st.sampled_from("ubd"))
def test_page_hinkley_alarms_where_rivers_does(seed: int, scale: float, direction: str) -> None:
    rng = np.random.default_rng(seed)
    x = scale * (rng.normal(size=2000) + 2.0 * (np.arange(2000) // 400 % 2))
    mode: Any = {"u": "up", "b": "both", "d": "down"}[direction]
    ours = page_hinkley.PageHinkley(
        PageHinkleySettings(delta=0.005, standardize=False, direction=mode)
    )
    assert _ours(ours, x) == _rivers(PageHinkley(mode=mode), x)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**16), ties=st.booleans())
def test_kswin_alarms_where_rivers_does(seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=700) + 1.5 * (np.arange(700) // 250)
    x = np.round(2.0 * x) / 2.0 if ties else x
    ours = Kswin(KswinSettings(alpha=0.005, window=100, latest=30, seed=3))
    assert _ours(ours, x) == _rivers(KSWIN(seed=3), x)


def test_the_exact_tail_is_scipys() -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(1)
    for n in (10, 30, 60):
        a, b = rng.normal(size=n), rng.normal(size=n) + 0.5
        wanted = ks_2samp(a, b, method="exact")
        assert tail(n, round(wanted.statistic * n)) == pytest.approx(wanted.pvalue)
    assert tail(5, 0) == 1.0
    assert critical_distance(5, 1e-9) == 6


def test_the_first_error_after_many_right_ones_is_no_alarm_of_ddm() -> None:
    x = np.zeros(200)
    x[100] = 1.0
    assert _rivers(DDM(), x, int) == [100]
    assert _ours(Ddm(), x) == []


@settings(max_examples=30, deadline=None)
@given(rate=st.floats(0.05, 0.5), seed=st.integers(0, 2**16))
def test_any_number_but_zero_is_an_error(rate: float, seed: int) -> None:
    x = _errors(seed, [rate, 0.9], 300)
    assume(x.any())
    assert _ours(HddmA(), x * -7.5) == _ours(HddmA(), x)
