"""River's detectors by name: equal to River's where nothing is mended, and mended where it is."""

from typing import Any

import numpy as np
import pytest
from river import anomaly, neighbors, preprocessing, time_series

from detectors.anomaly.gaussian_scorer import GaussianScorer
from detectors.anomaly.local_outlier_factor import LocalOutlierFactor
from detectors.anomaly.loda import Loda
from detectors.anomaly.one_class_svm import OneClassSvm
from detectors.anomaly.predictive import PredictiveAnomalyDetection
from detectors.anomaly.standard_absolute_deviation import StandardAbsoluteDeviation
from detectors.state import StateError
from detectors.values import Floats
from schemas.anomaly_settings import (
    GaussianScorerSettings,
    LocalOutlierFactorSettings,
    LodaSettings,
    OneClassSvmSettings,
    PredictiveAnomalyDetectionSettings,
    StandardAbsoluteDeviationSettings,
)

NAMES = ("b", "a", "c")


def _rows(n_rows: int = 400, seed: int = 1, missing: float = 0.0) -> Floats:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 3)) * (1.0, 10.0, 0.1) + (0.0, 5.0, -2.0)
    x[rng.random(x.shape) < missing] = np.nan
    return x


def _of_rows(model: Any, x: Floats) -> list[float]:
    scores = []
    for values in x.tolist():
        row = {name: v for name, v in zip(NAMES, values, strict=True) if v == v}
        scores.append(model.score_one(row))
        model.learn_one(row)
    return scores


def _of_values(model: Any, values: Floats) -> list[float]:
    scores = []
    for value in values.tolist():
        scores.append(model.score_one(None, value))
        model.learn_one(None, value)
    return scores


def test_loda_is_rivers_to_the_last_bit() -> None:
    x = _rows()
    options = LodaSettings(n_random_cuts=9, n_bins=7, warm_up=1)
    model = preprocessing.MinMaxScaler() | anomaly.LODA(7, 9, seed=42)
    assert Loda(NAMES, options).score_learn(x)[1:].tolist() == _of_rows(model, x)[1:]


def test_loda_without_scaling_is_rivers_too() -> None:
    x = _rows(200)
    options = LodaSettings(n_random_cuts=5, seed=3, scale=False, warm_up=1)
    model = anomaly.LODA(10, 5, seed=3)
    assert Loda(NAMES, options).score_learn(x)[1:].tolist() == _of_rows(model, x)[1:]


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_the_one_class_svm_is_rivers(scale: bool, missing: float) -> None:
    x = _rows(missing=missing)
    x = x[~np.isnan(x).all(axis=1)]
    model: Any = anomaly.OneClassSVM(nu=0.2)
    if scale:
        model = preprocessing.StandardScaler() | model
    options = OneClassSvmSettings(nu=0.2, scale=scale, warm_up=1)
    ours = OneClassSvm(NAMES, options).score_learn(x)
    assert ours[1:] == pytest.approx(_of_rows(model, x)[1:], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("k", "window"), [(3, 40), (10, 100)])
def test_the_local_outlier_factor_is_rivers(k: int, window: int) -> None:
    x = _rows(250)
    model = preprocessing.MinMaxScaler() | anomaly.LocalOutlierFactor(
        k, neighbors.LazySearch(window_size=window)
    )
    options = LocalOutlierFactorSettings(n_neighbors=k, window=window)
    ours = LocalOutlierFactor(NAMES, options).score_learn(x)
    assert ours[k + 2 :] == pytest.approx(_of_rows(model, x)[k + 2 :], rel=1e-9)


def test_a_row_equal_to_one_remembered_is_scored_as_rivers() -> None:
    x = np.tile(_rows(30), (3, 1))
    model = anomaly.LocalOutlierFactor(3, neighbors.LazySearch(window_size=30))
    options = LocalOutlierFactorSettings(n_neighbors=3, window=30, scale=False)
    ours = LocalOutlierFactor(NAMES, options).score_learn(x)
    assert ours[5:] == pytest.approx(_of_rows(model, x)[5:], rel=1e-9)


def test_standard_absolute_deviation_is_rivers() -> None:
    values = _rows()[:, 1]
    options = StandardAbsoluteDeviationSettings(limit=1.0, warm_up=2)
    ours = StandardAbsoluteDeviation(("a",), options).score_learn(values[:, None])
    rivers = _of_values(anomaly.StandardAbsoluteDeviation(), values)
    assert ours[2:] == pytest.approx(rivers[2:], rel=1e-9)


@pytest.mark.parametrize("window", [None, 120])
def test_the_gaussian_scorer_is_rivers_in_logarithms(window: int | None) -> None:
    values = _rows()[:, 1]
    options = GaussianScorerSettings(limit=1.0, warm_up=100, window=window)
    ours = GaussianScorer(("a",), options).score_learn(values[:, None])
    rivers = _of_values(anomaly.GaussianScorer(window_size=window), values)
    assert 1.0 - 10.0**-ours == pytest.approx(rivers, abs=1e-7)


def test_the_gaussian_scorer_still_ranks_where_rivers_ends() -> None:
    values = _rows()[:, 1]
    values[[300, 350]] = (5_000.0, 900_000.0)
    rivers = _of_values(anomaly.GaussianScorer(), values)
    assert rivers[300] == rivers[350] == 1.0
    ours = GaussianScorer(("a",)).score_learn(values[:, None])
    assert 1.0 < ours[300] < ours[350]


def test_a_rolling_gaussian_survives_values_of_very_different_size() -> None:
    values = np.tile([1e9, 1e-9, 0.0, 1e9 + 1e-6], 100)
    options = GaussianScorerSettings(window=3, warm_up=3)
    assert np.isfinite(GaussianScorer(("a",), options).score_learn(values[:, None])).all()


def test_predictive_errors_are_rivers_below_its_ceiling() -> None:
    values = np.sin(np.arange(400) / 9.0) + 0.1 * np.random.default_rng(2).normal(size=400)
    options = PredictiveAnomalyDetectionSettings(alpha=0.4, beta=0.2, warm_up=20)
    ours = PredictiveAnomalyDetection(("a",), options).score_learn(values[:, None])
    model = time_series.HoltWinters(alpha=0.4, beta=0.2)
    for value in values[:20].tolist():
        model.learn_one(value)
    pad = anomaly.PredictiveAnomalyDetection(model, n_std=3.0)
    rivers = np.array(_of_values(pad, values[20:]))
    assert np.minimum(ours[22:], 1.0) == pytest.approx(rivers[2:], rel=1e-9)
    assert ours.max() > 1.0 == rivers.max()


def test_a_season_at_level_zero_is_learnt() -> None:
    values = np.tile([-1.0, 0.0, 1.0, 0.0], 100)
    values[300] = 1.0  # a usual value at an unusual time
    options = PredictiveAnomalyDetectionSettings(season=4)
    noisy = values + 0.01 * np.random.default_rng(1).normal(size=400)
    scores = PredictiveAnomalyDetection(("a",), options).score_learn(noisy[:, None])
    assert scores.argmax() == 300
    assert scores[300] > 10.0
    river = time_series.HoltWinters(alpha=0.3, beta=0.1, gamma=0.3, seasonality=4)
    for value in values[:3].tolist():
        river.learn_one(value)
    with pytest.raises(ZeroDivisionError):
        river.learn_one(float(values[3]))


def test_states_with_impossible_histograms_are_refused() -> None:
    loda = Loda(NAMES, LodaSettings(n_random_cuts=3))
    loda.score_learn(_rows(50))
    state = loda.state()
    inner = dict(state["inner"])  # type: ignore[arg-type,call-overload]
    for damaged in (
        {**inner, "sizes": np.full(3, 99)},
        {**inner, "bins": inner["bins"] * np.nan},
    ):
        with pytest.raises(StateError):
            Loda(NAMES, LodaSettings(n_random_cuts=3)).restore({**state, "inner": damaged})
