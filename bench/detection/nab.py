"""The Numenta Anomaly Benchmark: ours, River's and the naive way, each with one fixed setting."""

import csv
import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from detectors.anomaly.novelty import Novelty
from detectors.values import Floats

BARS = {"standard": 62.0, "reward_low_FP_rate": 52.0, "reward_low_FN_rate": 67.0}
RATE_BAR = 80_000.0
_LODA_CUTS = 10  # of one field all projections are alike; River's hundred only take longer

ScoreFile = Callable[[Floats, Floats], Floats]
"""Turns the times in seconds and the values of a file into scores."""


class NabRow(NamedTuple):
    """A detector's NAB scores by profile, and how fast it was."""

    detector: str
    scores: dict[str, float]
    values_per_s: float


def nab_rows(benchmark: Path) -> Iterator[NabRow]:
    """Score every file under ``benchmark``/nab with each detector."""
    scorer = _scorer(benchmark)
    labels = benchmark / "nab" / "labels" / "combined_windows.json"
    corpus = scorer.load_corpus(str(benchmark / "nab" / "data"), str(labels))
    files = {name: _read(benchmark / "nab" / "data" / name) for name in corpus}
    for detector, score_file in DETECTORS.items():
        started_s = time.process_time()
        scores = {name: score_file(*columns) for name, columns in files.items()}
        took_s = time.process_time() - started_s
        n_values = sum(map(len, scores.values()))
        found = scorer.all_profiles(scores, corpus)
        by_profile = {profile: float(each["score"]) for profile, each in found.items()}
        yield NabRow(detector, by_profile, n_values / took_s)


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


def _ours(at_s: Floats, values: Floats) -> Floats:
    return Novelty(("value",)).score_learn(values[:, None], at_s)


def _river(make: Callable[[], Any]) -> ScoreFile:
    def score_file(at_s: Floats, values: Floats) -> Floats:
        model, scores = make(), []
        for value in values.tolist():
            scores.append(model.score_one({"value": value}))
            model.learn_one({"value": value})
        return np.array(scores)

    return score_file


def _river_trees() -> Any:
    from river import anomaly, preprocessing

    return preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=42)


def _river_loda() -> Any:
    from river import anomaly, preprocessing

    return preprocessing.MinMaxScaler() | anomaly.LODA(n_random_cuts=_LODA_CUTS, seed=42)


def _naive(at_s: Floats, values: Floats) -> Floats:
    """The z-score against all values before."""
    n = np.arange(1.0, len(values) + 1.0)
    mean = np.cumsum(values) / n
    variance = np.maximum(np.cumsum(values**2) / n - mean**2, 0.0)
    z = np.abs(values[1:] - mean[:-1]) / (np.sqrt(variance[:-1]) + 1e-9)
    return np.concatenate(([0.0], z))


DETECTORS: dict[str, ScoreFile] = {
    "novelty (ours)": _ours,
    "HalfSpaceTrees (River)": _river(_river_trees),
    "LODA (River)": _river(_river_loda),
    "z-score of all the past (naive)": _naive,
}
