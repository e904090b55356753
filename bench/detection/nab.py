"""The Numenta Anomaly Benchmark: ours, River's and the naive way, each with one fixed setting."""

import csv
import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.detection.noise import leave_one_out, mean_and_error
from detectors.anomaly.gaussian_scorer import GaussianScorer
from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.anomaly.iqr import Iqr
from detectors.anomaly.novelty import Novelty
from detectors.anomaly.predictive import PredictiveAnomalyDetection
from detectors.anomaly.robust_z import RobustZ
from detectors.anomaly.standard_absolute_deviation import StandardAbsoluteDeviation
from detectors.anomaly.z_score import ZScore
from detectors.values import Floats
from schemas.anomaly_settings import HalfSpaceTreesSettings

BARS = {"standard": 62.0, "reward_low_FP_rate": 52.0, "reward_low_FN_rate": 67.0}
RATE_BAR = 80_000.0
FIRST_SEED, RUNS = 42, 3
RIVALS = {
    "River LODA": "other: LODA (River)",
    "River HalfSpaceTrees": "other: HalfSpaceTrees (River)",
    "z-score of all the past": "other: z-score of all the past",
}
"""Whom the bars name beside ours: what they are called there, and the name of the row."""
_OTHERS: tuple[Any, ...] = (
    *(RobustZ, ZScore, Iqr, StandardAbsoluteDeviation, GaussianScorer),
    PredictiveAnomalyDetection,
)
_LODA_CUTS = 10  # of one field all projections are alike; River's hundred only take longer

ScoreFile = Callable[[Floats, Floats, int], Floats]
"""Turns the times in seconds and the values of a file into scores; a seed is for what is random."""


class NabRow(NamedTuple):
    """A detector's NAB scores by profile, and its rate, both means over runs of other seeds.

    ``files``: by profile, the standard error by the choice of files, at the best threshold.
    """

    detector: str
    scores: dict[str, dict[str, float]]
    files: dict[str, float]
    values_per_s: dict[str, float]


def nab_rows(benchmark: Path) -> Iterator[NabRow]:
    """Score every file under ``benchmark``/nab with each detector, ``RUNS`` times."""
    scorer = _scorer(benchmark)
    labels = benchmark / "nab" / "labels" / "combined_windows.json"
    corpus = scorer.load_corpus(str(benchmark / "nab" / "data"), str(labels))
    files = {name: _read(benchmark / "nab" / "data" / name) for name in corpus}
    for detector, score_file in DETECTORS.items():
        runs, rates = [], []
        for seed in range(FIRST_SEED, FIRST_SEED + RUNS):
            started_s = time.process_time()
            scores = {name: score_file(*columns, seed) for name, columns in files.items()}
            rates.append(sum(map(len, scores.values())) / (time.process_time() - started_s))
            runs.append(scorer.all_profiles(scores, corpus, per_file=True))
        means = {
            profile: mean_and_error([float(run[profile]["score"]) for run in runs])
            for profile in BARS
        }
        by_files = {
            profile: round(leave_one_out(found["files"], *scorer.PROFILES[profile][:2]), 2)
            for profile, found in runs[0].items()
        }
        yield NabRow(detector, means, by_files, mean_and_error(rates))


def _scorer(benchmark: Path) -> Any:
    spec = importlib.util.spec_from_file_location("nab_score", benchmark / "nab_score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read(path: Path) -> tuple[Floats, Floats]:
    with path.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    times = np.array([row[0] for row in rows], dtype="datetime64[us]").astype(np.int64) / 1e6
    return times, np.array([float(row[1]) for row in rows])


def _novelty(at_s: Floats, values: Floats, seed: int) -> Floats:
    return Novelty(("value",)).score_learn(values[:, None], at_s)


def _ours(detector: Any) -> ScoreFile:
    def score_file(at_s: Floats, values: Floats, seed: int) -> Floats:
        scores: Floats = detector(("value",)).score_learn(values[:, None])
        return scores

    return score_file


def _our_trees(at_s: Floats, values: Floats, seed: int) -> Floats:
    trees = HalfSpaceTrees(("value",), HalfSpaceTreesSettings(seed=seed))
    return trees.score_learn(values[:, None])


def _river(make: Callable[[int], Any]) -> ScoreFile:
    def score_file(at_s: Floats, values: Floats, seed: int) -> Floats:
        model, scores = make(seed), []
        for value in values.tolist():
            scores.append(model.score_one({"value": value}))
            model.learn_one({"value": value})
        return np.array(scores)

    return score_file


def _river_trees(seed: int) -> Any:
    from river import anomaly, preprocessing

    return preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=seed)


def _river_loda(seed: int) -> Any:
    from river import anomaly, preprocessing

    return preprocessing.MinMaxScaler() | anomaly.LODA(n_random_cuts=_LODA_CUTS, seed=seed)


def _naive(at_s: Floats, values: Floats, seed: int) -> Floats:
    """The z-score against all values before."""
    n = np.arange(1.0, len(values) + 1.0)
    mean = np.cumsum(values) / n
    variance = np.maximum(np.cumsum(values**2) / n - mean**2, 0.0)
    z = np.abs(values[1:] - mean[:-1]) / (np.sqrt(variance[:-1]) + 1e-9)
    return np.concatenate(([0.0], z))


DETECTORS: dict[str, ScoreFile] = {
    "novelty": _novelty,
    RIVALS["River LODA"]: _river(_river_loda),
    RIVALS["River HalfSpaceTrees"]: _river(_river_trees),
    RIVALS["z-score of all the past"]: _naive,
    **{detector.kind: _ours(detector) for detector in _OTHERS},
    "half_space_trees": _our_trees,
}
