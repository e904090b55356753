"""Which fields made a row unusual, by how much, and what would have been usual."""

import math

from detectors.anomaly.contract import FieldScores
from detectors.values import Floats
from detectors.watch.verdicts import Guilt

_MOST_FIELDS = 5


def guilty_fields(
    row: int, found: FieldScores, past: FieldScores, names: tuple[str, ...], x: Floats
) -> tuple[Guilt, ...]:
    """Return the fields that did most for the score of ``row``, the first most of all.

    The blame is shared by the squares of the ratios, as variance is. ``found`` is what the
    detector said, ``past`` the recent past of the fields.
    """
    values, ratios = x[row].tolist(), found.ratio[row].tolist()
    parts = [
        0.0 if math.isnan(value) else ratio * ratio
        for value, ratio in zip(values, ratios, strict=True)
    ]
    total = sum(parts)
    blamed = [i for i, part in enumerate(parts) if part > 0.0]
    blamed.sort(key=lambda i: (-parts[i], names[i]))
    return tuple(
        _guilt(row, i, parts[i] / total, found, past, names[i], values[i])
        for i in blamed[:_MOST_FIELDS]
    )


def _guilt(
    row: int,
    column: int,
    share: float,
    found: FieldScores,
    past: FieldScores,
    field: str,
    value: float,
) -> Guilt:
    low, high = _at(past.low, row, column), _at(past.high, row, column)
    expected = _at(found.center, row, column)
    nearest = expected
    if low is not None and high is not None and not low <= value <= high:
        nearest = min(max(value, low), high)
    return Guilt(field, value, share, expected, low, high, nearest)


def _at(values: Floats | None, row: int, column: int) -> float | None:
    value = math.nan if values is None else float(values[row, column])
    return None if math.isnan(value) else value
