"""Half-space trees over batches against River's, row by row, at default settings."""

import time
from dataclasses import dataclass

import numpy as np
from river import anomaly, preprocessing

from bench.pipeline.payloads import SEED
from bench.pipeline.turns import BATCH
from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.values import Floats
from schemas.anomaly_settings import HalfSpaceTreesSettings

NAMES = tuple(f"f{k}" for k in range(5))


@dataclass(frozen=True)
class Compared:
    """Rows a second of both, and the largest difference between their scores."""

    ours: float
    river: float
    max_difference: float


def compare(rows: int) -> Compared:
    """Score and learn the same seeded rows with both; ours gets 500 at a time."""
    x = np.random.default_rng(SEED).normal(size=(rows, len(NAMES)))
    started_s = time.perf_counter()
    scores = _ours(x)
    ours_s = time.perf_counter()
    expected = _river(x)
    river_s = time.perf_counter()
    difference = float(np.abs(scores - expected).max())
    return Compared(rows / (ours_s - started_s), rows / (river_s - ours_s), difference)


def _ours(x: Floats) -> Floats:
    trees = HalfSpaceTrees(NAMES)
    return np.concatenate([trees.score_learn(x[at : at + BATCH]) for at in range(0, len(x), BATCH)])


def _river(x: Floats) -> Floats:
    seed = HalfSpaceTreesSettings().seed
    model = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=seed)
    scores = []
    for values in x.tolist():
        row = dict(zip(NAMES, values, strict=True))
        scores.append(model.score_one(row))
        model.learn_one(row)
    return np.array(scores)
