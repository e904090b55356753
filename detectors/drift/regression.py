"""Least squares on a handful of columns, in the same bits whatever the linear algebra library."""

from typing import NamedTuple

from detectors.values import Floats


class Fit(NamedTuple):
    """``weights``: a number a column. ``evidence``: n R squared, chi-squared without a relation."""

    weights: tuple[float, ...]
    evidence: float


def least_squares(columns: list[Floats], y: Floats) -> Fit:
    """Fit ``y`` (float64 [n], mean about 0) by ``columns`` of the same length, by elimination."""
    size = len(columns)
    rows = [[_dot(a, b) for b in columns] + [_dot(a, y)] for a in columns]
    right = [row[-1] for row in rows]
    for i in range(size):
        rows[i][i] *= 1.0 + 1e-9  # columns may be multiples of one another
        for j in range(i + 1, size):
            factor = rows[j][i] / rows[i][i] if rows[i][i] > 0.0 else 0.0
            rows[j] = [b - factor * a for a, b in zip(rows[i], rows[j], strict=True)]
    weights = [0.0] * size
    for i in reversed(range(size)):
        rest = rows[i][-1] - sum(rows[i][j] * weights[j] for j in range(i + 1, size))
        weights[i] = rest / rows[i][i] if rows[i][i] > 0.0 else 0.0
    total = _dot(y, y)
    explained = sum(w * r for w, r in zip(weights, right, strict=True))
    return Fit(tuple(weights), len(y) * explained / total if total > 0.0 else 0.0)


def _dot(a: Floats, b: Floats) -> float:
    return float((a * b).sum())
