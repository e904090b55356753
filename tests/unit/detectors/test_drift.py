"""The drift detectors one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.drift import ADWIN

from detectors.chi_squared import survival, upper_quantile
from detectors.drift import river_state
from detectors.drift.adwin import Adwin
from detectors.drift.ks import Ks
from detectors.drift.psi import Psi
from detectors.sample import deviation, shift, since_change, summarise
from detectors.state import StateError
from detectors.values import CAP, Floats
from schemas.drift_settings import AdwinSettings, KsSettings, PsiSettings

RAW = AdwinSettings(standardize=False, rearm=0, delta=0.002)


def _steps(seed: int, n: int = 6000) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.normal(size=n) + 3.0 * (np.arange(n) // 700 % 2)


@pytest.mark.parametrize("seed", range(3))
def test_unscaled_adwin_detects_where_rivers_does(seed: int) -> None:
    river, wanted = ADWIN(delta=0.002), []
    for row, value in enumerate(_steps(seed).tolist()):
        river.update(value)
        if river.drift_detected:
            wanted.append(row)
    assert len(wanted) > 5
    assert [found.row for found in Adwin(RAW).update(_steps(seed))] == wanted


def test_adwin_is_quiet_for_a_while_after_a_detection() -> None:
    rows = [found.row for found in Adwin(AdwinSettings(rearm=1000)).update(_steps(1))]
    assert len(rows) > 2
    assert min(np.diff(rows)) >= 1000


def test_adwin_notices_a_constant_that_changes() -> None:
    x = np.repeat([2.0, 2.0 + 1e-9, 1.0], 500)
    assert [found.row // 500 for found in Adwin().update(x)] == [1, 2]


def test_the_cut_lies_beyond_its_bound() -> None:
    found = [each for seed in range(8) for each in Adwin().update(_steps(seed))]
    assert all(each.measured.value > each.measured.threshold for each in found)


@pytest.fixture(scope="module")
def helper_state() -> bytes:
    adwin = Adwin(RAW)
    adwin.update(_steps(1, 3000))
    state = adwin.state()["helper"]
    assert isinstance(state, bytes)
    return state


def test_rivers_own_states_pass_the_check(helper_state: bytes) -> None:
    assert river_state.check(helper_state, RAW) == helper_state
    with pytest.raises(StateError, match="settings"):
        river_state.check(helper_state, AdwinSettings())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_passes_the_check_cannot_make_river_panic(
    helper_state: bytes, data: st.DataObject
) -> None:
    blob = bytearray(helper_state)
    for _ in range(data.draw(st.integers(1, 3))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    blob = blob[: data.draw(st.sampled_from([len(blob), len(blob) - 1, 40, 90, 100]))]
    adwin = Adwin(RAW)
    state = {**adwin.state(), "n": 0, "helper": bytes(blob)}
    try:
        adwin.restore(state)
    except StateError:
        return
    adwin.update(_steps(2, 500))


@pytest.mark.parametrize("cut", [0, 7, 31, 60, 91, 300])
def test_a_short_state_of_river_is_refused(helper_state: bytes, cut: int) -> None:
    with pytest.raises(StateError):
        river_state.check(helper_state[:cut], RAW)


def test_a_pickle_is_no_state() -> None:
    import pickle

    adwin = Adwin(RAW)
    payload = pickle.dumps(print)
    with pytest.raises(StateError):
        adwin.restore({**adwin.state(), "helper": payload})


def test_the_ks_distance_and_p_value_are_scipys() -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(1)
    x = np.concatenate((rng.normal(size=500), rng.normal(size=200) + 0.35))
    found = Ks(KsSettings(alpha=0.05)).update(x)[0]
    wanted = ks_2samp(x[:500], x[500:])
    assert found.measured.value == pytest.approx(wanted.statistic)
    assert found.measured.p_value == pytest.approx(wanted.pvalue, rel=0.3)
    assert found.measured.p_value < 0.05


def test_ks_threshold_and_p_value_agree() -> None:
    for alpha in (0.05, 1e-3, 1e-6):
        ks = Ks(KsSettings(alpha=alpha))
        assert ks._p_value(ks._threshold) == pytest.approx(alpha, rel=1e-3)
    assert ks._p_value(0.0) == 1.0


def test_a_change_of_spread_alone_is_found_by_the_windows() -> None:
    x = np.random.default_rng(3).normal(size=3000)
    x[1500:] *= 2.5
    for detector in (Ks(), Psi()):
        found = detector.update(x)
        assert [1500 < each.row < 1900 for each in found] == [True]
        assert abs(found[0].effect) < 0.5


def test_the_classic_threshold_of_psi_can_be_had() -> None:
    x = np.random.default_rng(3).normal(size=20_000)
    found = Psi(PsiSettings(fixed_threshold=0.1)).update(x)
    assert found
    assert all(each.measured.threshold == 0.1 for each in found)
    assert Psi().update(x) == []


@pytest.mark.parametrize("to", [-1.0, 1.0])
def test_psi_sees_a_constant_leave_in_either_direction(to: float) -> None:
    x = np.concatenate((np.full(800, 5.0), np.full(400, 5.0 + to)))
    assert len(Psi().update(x)) == 1


def test_psi_is_about_chi_squared_without_a_change() -> None:
    rng = np.random.default_rng(9)
    psi = Psi()
    values = []
    for _ in range(300):
        psi._fit(rng.normal(size=500))
        psi._slide(now := rng.normal(size=200), now[:0])
        values.append(psi._measure(now).p_value)
    assert 0.01 <= np.mean(np.array(values) < 0.05) <= 0.1


def test_the_chi_squared_tail_is_scipys() -> None:
    from scipy.stats import chi2

    for degrees in (1, 2, 3, 9, 10, 99):
        for alpha in (1e-12, 1e-6, 0.01, 0.5, 0.99):
            assert upper_quantile(alpha, degrees) == pytest.approx(chi2.isf(alpha, degrees))
        assert survival(7.0, degrees) == pytest.approx(chi2.sf(7.0, degrees))
    assert survival(0.0, 3) == 1.0


def test_samples_are_summarised() -> None:
    sample = summarise(np.arange(101.0))
    assert (sample.size, sample.mean, sample.quantiles) == (
        101,
        50.0,
        (5.0, 25.0, 50.0, 75.0, 95.0),
    )


def test_effects_are_finite() -> None:
    huge, tiny = np.array([-1e300, 1e300]), np.array([0.0, 5e-324])
    assert deviation(huge) == pytest.approx(1e300)
    assert shift(np.ones(3), np.ones(2)) == 0.0
    assert shift(np.ones(3), np.zeros(2)) == -CAP
    assert shift(tiny, huge + 1e299) == CAP
    assert shift(np.array([0.0, 2.0]), np.array([4.0])) == pytest.approx(3.0)


def test_the_current_sample_begins_at_the_change() -> None:
    rng = np.random.default_rng(2)
    old, new = rng.normal(size=500), rng.normal(size=60) + 4.0
    recent = np.concatenate((rng.normal(size=140), new))
    assert since_change(old, recent).size == pytest.approx(60, abs=2)
    assert since_change(old, recent[:5]).size == 5
