"""What every detector promises, checked for every detector that the packages hold."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detectors.anomaly
import detectors.drift
from detectors.anomaly.autoencoder import Autoencoder
from detectors.anomaly.gaussian_scorer import GaussianScorer
from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.anomaly.limits import Limits
from detectors.anomaly.local_outlier_factor import LocalOutlierFactor
from detectors.anomaly.loda import Loda
from detectors.anomaly.novelty import Novelty
from detectors.anomaly.predictive import PredictiveAnomalyDetection
from detectors.anomaly.robust_mahalanobis import RobustMahalanobis
from detectors.drift import catalog
from detectors.drift.adwin import Adwin
from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from schemas.anomaly_settings import (
    AnomalySettings,
    AutoencoderSettings,
    GaussianScorerSettings,
    HalfSpaceTreesSettings,
    LimitsSettings,
    LocalOutlierFactorSettings,
    LodaSettings,
    NoveltySettings,
    PredictiveAnomalyDetectionSettings,
    RobustMahalanobisSettings,
)
from schemas.drift_settings import AdwinSettings, DriftSettings

NAMES = ("a", "b", "c")
MAX_STATE_BYTES = 200_000


def _classes(package: Any, method: str) -> list[type]:
    found = []
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        module = importlib.import_module(info.name)
        for _, cls in inspect.getmembers(module, inspect.isclass):
            local = cls.__module__ == module.__name__
            if local and hasattr(cls, "kind") and hasattr(cls, method):
                found.append(cls)
    return found


ANOMALY = _classes(detectors.anomaly, "score_learn")
DRIFT = _classes(detectors.drift, "update")
OF_VALUES = [cls for cls in DRIFT if cls.takes == "values"]
SMALL: dict[type, Any] = {
    HalfSpaceTrees: HalfSpaceTreesSettings(n_trees=3, height=4, window=40),
    Limits: LimitsSettings(limits={"a": (-2.0, 2.0), "b": (None, 1.0)}),
    Novelty: NoveltySettings(history=300, tail_window=300, warm_up=32, cooldown=20, limit=2.0),
    GaussianScorer: GaussianScorerSettings(window=50),
    PredictiveAnomalyDetection: PredictiveAnomalyDetectionSettings(season=12),
    RobustMahalanobis: RobustMahalanobisSettings(window=128, stride=48, warm_up=20),
    Loda: LodaSettings(n_random_cuts=4, n_bins=8, warm_up=20),
    LocalOutlierFactor: LocalOutlierFactorSettings(n_neighbors=4, window=30),
    Autoencoder: AutoencoderSettings(hidden=2, warm_up=40),
    Adwin: AdwinSettings(rearm=50),
}


def _make(cls: type) -> Any:
    arguments = (NAMES,) if cls in ANOMALY else ()
    return cls(*arguments, SMALL[cls]) if cls in SMALL else cls(*arguments)


def _stream(cls: type, n_rows: int, seed: int, missing: float = 0.05) -> Floats:
    """Rows with jumps, ties, holes and huge values; one column alone for a drift detector."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, len(NAMES))) + 3.0 * (np.arange(n_rows)[:, None] // 1100 % 2)
    x[:, 2] = rng.integers(0, 3, n_rows)
    x[rng.random(x.shape) < missing] = np.nan
    x[rng.random(x.shape) < 0.002] = np.inf
    x[rng.random(x.shape) < 0.002] = -1e305
    if cls in ANOMALY:
        return x
    column = x[:, 0]
    if cls.takes == "errors":
        return np.where(np.isnan(column), column, column > 1.0)
    return np.floor(column) if cls.takes == "codes" else column


def _run(detector: Any, x: Floats, cuts: Sequence[int] = ()) -> list[Any]:
    """Feed ``x`` in the parts between ``cuts``; scores, or detections with their row in ``x``."""
    found: list[Any] = []
    for begin, end in pairwise([0, *sorted(cuts), len(x)]):
        part = x[begin:end]
        if hasattr(detector, "score_learn"):
            found += detector.score_learn(part).tolist()
        else:
            found += [(begin + each.row, each.measured) for each in detector.update(part)]
    return found


everyone = pytest.mark.parametrize("cls", ANOMALY + DRIFT, ids=lambda cls: cls.__name__)


def test_the_packages_hold_the_detectors_that_the_settings_name() -> None:
    others = {"quantile", "history", "incidents", "max_keys"}
    named = set(AnomalySettings.model_fields) - others
    assert {cls.kind for cls in ANOMALY} == named
    assert set(DRIFT) == set(catalog.ALL)
    assert {cls.kind for cls in DRIFT} <= set(DriftSettings.model_fields)


@everyone
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cuts=st.lists(st.integers(0, 2400), max_size=12),
    missing=st.sampled_from([0.0, 0.001, 0.3]),
)
def test_any_split_gives_the_same_results_and_state(
    cls: type, seed: int, cuts: list[int], missing: float
) -> None:
    x = _stream(cls, 2400, seed, missing)
    whole, split = _make(cls), _make(cls)
    assert _run(whole, x) == _run(split, x, cuts)
    assert pack(whole.state()) == pack(split.state())


@everyone
def test_single_rows_give_the_same_as_one_batch(cls: type) -> None:
    x = _stream(cls, 1500, seed=11)
    whole, single = _make(cls), _make(cls)
    assert _run(whole, x) == _run(single, x, range(1, 1500))
    assert pack(whole.state()) == pack(single.state())


@everyone
@pytest.mark.parametrize("at", [0, 1, 37, 250, 777, 1300])
def test_a_restored_detector_goes_on_as_the_original(cls: type, at: int) -> None:
    x = _stream(cls, 2400, seed=5)
    original, restored = _make(cls), _make(cls)
    _run(original, x[:at])
    restored.restore(unpack(pack(original.state())))
    assert pack(restored.state()) == pack(original.state())
    assert _run(restored, x[at:]) == _run(original, x[at:])


@everyone
def test_a_state_is_a_copy(cls: type) -> None:
    x = _stream(cls, 1200, seed=6)
    detector = _make(cls)
    _run(detector, x[:600])
    state = detector.state()
    before = pack(state)
    _run(detector, x[600:])
    assert pack(state) == before


@everyone
def test_foreign_states_are_refused_and_leave_the_detector_usable(cls: type) -> None:
    if cls is Limits:
        pytest.skip("fixed limits have no state")
    detector = _make(cls)
    for state in ({}, {"n": -1}, dict.fromkeys(_make(cls).state(), "x")):
        with pytest.raises(StateError):
            detector.restore(state)
    x = _stream(cls, 1200, seed=7)
    assert _run(detector, x) == _run(_make(cls), x)


@everyone
@pytest.mark.parametrize("value", [np.nan, 0.0, 5e-324, 1e308, np.inf, -np.inf])
def test_constant_and_extreme_values_are_unremarkable(cls: type, value: float) -> None:
    x = np.full_like(_stream(cls, 1500, seed=1), value)
    found = _run(_make(cls), x)
    if cls in ANOMALY:
        assert all(np.isfinite(found))
        usual = 1.0 if cls is LocalOutlierFactor else 0.0  # a ratio of densities
        assert cls is Limits or max(found) < usual + 1.0
    else:
        assert found == []


@everyone
def test_alternating_infinities_give_finite_results(cls: type) -> None:
    x = _stream(cls, 1500, seed=1)
    x[::2], x[1::2] = np.inf, -np.inf
    found = _run(_make(cls), x)
    assert cls in DRIFT or all(np.isfinite(found))


@everyone
def test_no_rows_change_nothing(cls: type) -> None:
    detector = _make(cls)
    before = pack(detector.state())
    assert _run(detector, _stream(cls, 0, seed=1)) == []
    assert pack(detector.state()) == before


@everyone
def test_the_state_stays_small(cls: type) -> None:
    detector, sizes = _make(cls), []
    for seed in range(4):
        _run(detector, _stream(cls, 5000, seed))
        sizes.append(len(pack(detector.state())))
    assert max(sizes) < MAX_STATE_BYTES


@everyone
def test_the_input_is_left_alone(cls: type) -> None:
    x = _stream(cls, 1200, seed=2)
    before = x.copy()
    _run(_make(cls), x)
    np.testing.assert_array_equal(x, before)


def _shifted(rng: np.random.Generator) -> Floats:
    return np.concatenate((rng.normal(size=2000), rng.normal(size=2000) + 2.0))


@pytest.mark.parametrize("cls", OF_VALUES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(
    "transform", [lambda x: x, lambda x: 1e-6 * x, lambda x: 1e6 * x + 1e8, lambda x: -x]
)
def test_a_shift_is_found_in_any_unit(cls: type, transform: Callable[[Floats], Floats]) -> None:
    x = transform(_shifted(np.random.default_rng(3)))
    found = _make(cls).update(x)
    assert len(found) == 1
    assert 2000 < found[0].row < 2300
    assert abs(found[0].effect) == pytest.approx(2.0, abs=0.4)
    assert found[0].measured.value > found[0].measured.threshold


@pytest.mark.parametrize("cls", OF_VALUES, ids=lambda cls: cls.__name__)
def test_stationary_streams_raise_no_alarm(cls: type) -> None:
    rng = np.random.default_rng(2025)
    families = [
        lambda n: rng.normal(size=n),
        lambda n: rng.exponential(size=n),
        lambda n: rng.standard_t(3, size=n),
        lambda n: rng.integers(0, 4, size=n).astype(np.float64),
        lambda n: rng.beta(0.5, 0.5, size=n),
    ]
    alarms = [_make(cls).update(families[k % 5](10_000)) for k in range(20)]
    assert alarms == [[]] * 20
