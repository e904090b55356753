"""Statlog (Shuttle), which comes with River: nine fields, 49,097 rows, 7 % of them anomalies."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from bench.detection.catalog import anomaly_detectors, settings_of
from bench.detection.nab import FIRST_SEED, RUNS
from bench.detection.noise import error_of_auc, mean_and_error
from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.anomaly.limits import Limits
from detectors.anomaly.robust_mahalanobis import RobustMahalanobis
from detectors.anomaly.robust_z import RobustZ
from detectors.values import Bools, Floats
from schemas.anomaly_settings import AnomalySettings, HalfSpaceTreesSettings, LimitsSettings

BAR = 0.99
RIVALS = {
    "River HalfSpaceTrees": "other: HalfSpaceTrees (River)",
    "River OneClassSVM": "other: OneClassSVM (River)",
    "largest z-score": "other: largest z-score",
}
"""Whom the bar names beside ours: what they are called there, and the name of the row."""
_SLOW = ("loda", "local_outlier_factor")  # one run is enough of them
_LEFT_OUT = ("robust_mahalanobis", "robust_z", "limits")  # those are named by themselves
_FIRST = 250  # rows whose range is taken for the limits
NAMES = tuple(f"f{number}" for number in range(1, 10))


Score = Callable[[Floats, int], Floats]
"""Turns rows into scores, with a seed for what is random."""


class ShuttleRow(NamedTuple):
    """A detector's area under the ROC curve over all rows, and its rate: means over runs.

    ``rows``: the standard error of the area by the choice of rows.
    """

    detector: str
    auc: dict[str, float]
    rows: float
    rows_per_s: dict[str, float]


def shuttle_rows() -> Iterator[ShuttleRow]:
    """Let each detector score and learn the rows in the order of the file, with other seeds."""
    x, is_anomaly = load()
    for detector, score in DETECTORS.items():
        areas, errors, rates = [], [], []
        for seed in range(FIRST_SEED, FIRST_SEED + (1 if detector in _SLOW else RUNS)):
            started_s = time.process_time()
            scores = score(x, seed)
            rates.append(len(x) / (time.process_time() - started_s))
            areas.append(roc_auc(scores, is_anomaly))
            errors.append(error_of_auc(scores, is_anomaly))
        rates_found = mean_and_error(rates)
        yield ShuttleRow(detector, mean_and_error(areas), round(errors[0], 4), rates_found)


def roc_auc(scores: Floats, is_anomaly: Bools) -> float:
    """Return the probability that an anomaly scores above a normal row, ties counting half.

    >>> roc_auc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, True, False, True]))
    0.875
    """
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    n_anomalies = int(is_anomaly.sum())
    above = rank[is_anomaly].sum() - n_anomalies * (n_anomalies + 1) / 2.0
    return float(above / (n_anomalies * (len(scores) - n_anomalies)))


def load() -> tuple[Floats, Bools]:
    """Return Shuttle's rows, float64 [49097, 9], and which of them are anomalies."""
    from river import datasets

    rows = list(datasets.Shuttle())
    x = np.array([[float(row[name]) for name in NAMES] for row, _ in rows])
    return x, np.array([label == 1 for _, label in rows])


def _ours(detector: Any) -> Score:
    def score(x: Floats, seed: int) -> Floats:
        settings = AnomalySettings.model_validate({detector.kind: _settings(detector, seed)})
        scores: Floats = detector(NAMES, getattr(settings, detector.kind)).score_learn(x)
        return scores

    return score


def _settings(detector: Any, seed: int) -> dict[str, Any]:
    fields = settings_of(detector.kind).model_fields
    return {"seed": seed} if "seed" in fields else {}


def _limits(x: Floats, seed: int) -> Floats:
    """The range of the first rows: nobody knows any limits, and this needs no knowledge."""
    low, high = x[:_FIRST].min(axis=0).tolist(), x[:_FIRST].max(axis=0).tolist()
    limits = dict(zip(NAMES, zip(low, high, strict=True), strict=True))
    return Limits(NAMES, LimitsSettings(limits=limits)).score_learn(x)


def _robust_z(x: Floats, seed: int) -> Floats:
    return RobustZ(NAMES).score_learn(x)


def _river(make: Callable[[int], Any]) -> Score:
    def score(x: Floats, seed: int) -> Floats:
        model, scores = make(seed), []
        for values in x.tolist():
            row = dict(zip(NAMES, values, strict=True))
            scores.append(model.score_one(row))
            model.learn_one(row)
        return np.array(scores)

    return score


def _river_trees(seed: int) -> Any:
    from river import anomaly, preprocessing

    return preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=seed)


def _river_svm(seed: int) -> Any:
    from river import anomaly, preprocessing

    return preprocessing.StandardScaler() | anomaly.OneClassSVM()


def _larger_trees(x: Floats, seed: int) -> Floats:
    settings = HalfSpaceTreesSettings(n_trees=25, height=15, seed=seed)
    return HalfSpaceTrees(NAMES, settings).score_learn(x)


def _naive(x: Floats, seed: int) -> Floats:
    """The largest z-score of a row against all rows before."""
    n = np.arange(1.0, len(x) + 1.0)[:, None]
    mean = np.cumsum(x, axis=0) / n
    variance = np.maximum(np.cumsum(x**2, axis=0) / n - mean**2, 0.0)
    z = np.abs(x[1:] - mean[:-1]) / (np.sqrt(variance[:-1]) + 1e-9)
    return np.concatenate(([0.0], z.max(axis=1)))


DETECTORS: dict[str, Score] = {
    "robust_mahalanobis": _ours(RobustMahalanobis),
    RIVALS["River HalfSpaceTrees"]: _river(_river_trees),
    RIVALS["River OneClassSVM"]: _river(_river_svm),
    RIVALS["largest z-score"]: _naive,
    "half_space_trees, 25 of height 15": _larger_trees,
    "robust_z": _robust_z,
    "limits": _limits,
    **{each.kind: _ours(each) for each in anomaly_detectors() if each.kind not in _LEFT_OUT},
}
