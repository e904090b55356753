"""Statlog (Shuttle), which comes with River: nine fields, 49,097 rows, 7 % of them anomalies."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.anomaly.robust_mahalanobis import RobustMahalanobis
from detectors.values import Bools, Floats
from schemas.anomaly_settings import HalfSpaceTreesSettings

BAR = 0.99
NAMES = tuple(f"f{number}" for number in range(1, 10))


class ShuttleRow(NamedTuple):
    """A detector's area under the ROC curve over all rows, and how fast it was."""

    detector: str
    auc: float
    rows_per_s: float


def shuttle_rows() -> Iterator[ShuttleRow]:
    """Let each detector score and learn the rows in the order of the file."""
    x, is_anomaly = _load()
    for detector, score in DETECTORS.items():
        started_s = time.process_time()
        scores = score(x)
        took_s = time.process_time() - started_s
        yield ShuttleRow(detector, roc_auc(scores, is_anomaly), len(x) / took_s)


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


def _load() -> tuple[Floats, Bools]:
    from river import datasets

    rows = list(datasets.Shuttle())
    x = np.array([[float(row[name]) for name in NAMES] for row, _ in rows])
    return x, np.array([label == 1 for _, label in rows])


def _river(make: Callable[[], Any]) -> Callable[[Floats], Floats]:
    def score(x: Floats) -> Floats:
        model, scores = make(), []
        for values in x.tolist():
            row = dict(zip(NAMES, values, strict=True))
            scores.append(model.score_one(row))
            model.learn_one(row)
        return np.array(scores)

    return score


def _river_trees() -> Any:
    from river import anomaly, preprocessing

    return preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=42)


def _river_svm() -> Any:
    from river import anomaly, preprocessing

    return preprocessing.StandardScaler() | anomaly.OneClassSVM()


def _larger_trees(x: Floats) -> Floats:
    return HalfSpaceTrees(NAMES, HalfSpaceTreesSettings(n_trees=25, height=15)).score_learn(x)


def _naive(x: Floats) -> Floats:
    """The largest z-score of a row against all rows before."""
    n = np.arange(1.0, len(x) + 1.0)[:, None]
    mean = np.cumsum(x, axis=0) / n
    variance = np.maximum(np.cumsum(x**2, axis=0) / n - mean**2, 0.0)
    z = np.abs(x[1:] - mean[:-1]) / (np.sqrt(variance[:-1]) + 1e-9)
    return np.concatenate(([0.0], z.max(axis=1)))


DETECTORS: dict[str, Callable[[Floats], Floats]] = {
    "robust_mahalanobis (ours)": lambda x: RobustMahalanobis(NAMES).score_learn(x),
    "half_space_trees, 25 of height 15 (ours)": _larger_trees,
    "HalfSpaceTrees (River)": _river(_river_trees),
    "OneClassSVM (River)": _river(_river_svm),
    "largest z-score (naive)": _naive,
}
