"""How far a figure would move had chance, or the choice of data, been another."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from detectors.values import Bools, Floats

NONE_SEEN = 3.0
"""Where none of n happened, fewer than this over n do, with 95 % confidence."""


def mean_and_error(values: Sequence[float]) -> dict[str, float]:
    """Return the mean of ``values`` and its standard error, which one value alone does not have.

    >>> mean_and_error([1.0, 2.0, 3.0])
    {'mean': 2.0, 'standard_error': 0.5774}
    """
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    found = {"mean": statistics.fmean(values), "standard_error": error}
    return {name: round(value, 4) for name, value in found.items() if not math.isnan(value)}


def leave_one_out(per_file: Mapping[str, Mapping[str, Any]], atp: float, afn: float) -> float:
    """Return the standard error of a NAB score by the choice of files (the jackknife).

    ``per_file``: of each file its ``raw`` score and number of ``windows``, at one threshold for
    all. ``atp`` and ``afn``: what a window found is worth, and what one missed costs.
    """
    raw = np.array([float(each["raw"]) for each in per_file.values()])
    windows = np.array([float(each["windows"]) for each in per_file.values()])
    kept_raw, kept = raw.sum() - raw, windows.sum() - windows
    scores = 100.0 * (kept_raw + afn * kept) / ((atp + afn) * kept)
    n = len(scores)
    return math.sqrt((n - 1) / n * float(((scores - scores.mean()) ** 2).sum()))


def error_of_auc(scores: Floats, is_anomaly: Bools) -> float:
    """Return the standard error of the area under the ROC curve, if rows were independent.

    Reference: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988).
    """
    odd, usual = np.sort(scores[is_anomaly]), np.sort(scores[~is_anomaly])
    spread = 0.0
    for some, others in ((odd, usual), (usual, odd)):
        below = np.searchsorted(others, some) + np.searchsorted(others, some, side="right")
        spread += float(np.var(below / (2.0 * len(others)), ddof=1)) / len(some)
    return math.sqrt(spread)
