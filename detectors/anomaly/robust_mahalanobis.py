"""The distance from the bulk of the recent past, measured in its own shape."""

import math
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.anomaly.contract import FieldScores, Scores
from detectors.anomaly.spans import spans
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import CAP, Floats, clean
from schemas.anomaly_settings import RobustMahalanobisSettings

_MEAN_TO_SD = 1.2533  # sqrt(pi / 2): from the mean absolute deviation
_BLOCK = 64  # rows multiplied at a time
_LEAST_UNIT = 1e-3  # of the center: the unit of a field that did not vary


class _Bulk(NamedTuple):
    """A fit: centers and units of the fields, and the inverse of the bulk's covariance."""

    center: Floats
    unit: Floats
    precision: Floats


class RobustMahalanobis:
    """Scores a row by its Mahalanobis distance from the bulk of the last ``window`` rows.

    For: several numbers that belong together.

    After every ``stride`` rows the fit is made anew. Each field is centred on its median and
    divided by 1.2533 times its mean absolute deviation from it. Then ``steps`` times: the
    ``kept`` share of the rows that lie nearest to the bulk become the bulk, and their mean m
    and covariance C, plus ``ridge`` in every direction, its shape. So the anomalies among the
    rows remembered, also many alike, neither stretch the shape nor shift it. The score is
    sqrt((z - m)' (C + ridge I)^-1 (z - m)), in deviations of the bulk. These are the
    concentration steps of the minimum covariance determinant (Rousseeuw and Van Driessen,
    Technometrics 1999), from one start instead of 500.

    A missing value counts as the one expected. The ratio of a field is the root of its own
    share in the squared distance, (z - m) * (C^-1 (z - m)), which tells who is guilty; the
    value expected is its mean in the bulk. A field that never varied has the unit of a
    thousandth of its value.

    Misses: rows between two clusters, which are near the middle and therefore usual (half-space
    trees and the local outlier factor see them); anomalies that are more than 1 - ``kept`` of
    the window.

    Reference: Rousseeuw and Van Driessen, "A fast algorithm for the minimum covariance
    determinant estimator", Technometrics 41 (1999).

    >>> rng = np.random.default_rng(7)
    >>> first = rng.normal(size=1000)
    >>> x = np.stack((first, first + 0.1 * rng.normal(size=1000)), axis=1)
    >>> x[900] = (1.0, -1.0)  # both usual, but not together
    >>> scores = RobustMahalanobis(("a", "b")).score_learn(x)
    >>> print(f"most unusual: row {scores.argmax()}")
    most unusual: row 900
    """

    kind: ClassVar[str] = "robust_mahalanobis"

    def __init__(
        self, names: tuple[str, ...], settings: RobustMahalanobisSettings | None = None
    ) -> None:
        self.names = names
        self._settings = settings or RobustMahalanobisSettings()
        self._rows = np.zeros((0, len(names)))  # the window as of the last stride
        self._fresh = np.zeros((0, len(names)))  # since then
        self._bulk: _Bulk | None = None
        self.n_learnt = 0

    @property
    def warm_up(self) -> int:
        """The number of rows to learn before the first is judged."""
        return max(self._settings.warm_up, len(self.names) + 1)

    def score_learn(self, x: Floats) -> Floats:
        """Score and learn ``x`` (float64 [rows, fields]); distances, float64 [rows]."""
        return self.judge_learn(x).scores

    def judge_learn(self, x: Floats) -> Scores:
        """Score and learn ``x`` (float64 [rows, fields]), telling the fields apart."""
        x = clean(x)
        scores = np.zeros(len(x))
        found = FieldScores(np.zeros(x.shape), np.full(x.shape, np.nan))
        rows = np.flatnonzero((~np.isnan(x)).any(axis=1))
        done = 0
        while done < len(rows):
            part = rows[done : done + self._until_fit()]
            if self._bulk:
                parts = _own_parts(x[part], self._bulk, self._n_since_fit(self.n_learnt))
                scores[part] = np.sqrt(np.maximum(parts.sum(axis=1), 0.0))
                found.ratio[part] = np.sqrt(np.maximum(parts, 0.0))
                found.center[part] = self._bulk.center
            self._learn(x[part])
            done += len(part)
        return Scores(scores, found)

    def state(self) -> State:
        """Return the rows remembered and the fit in force."""
        bulk = self._bulk
        return {
            "rows": self._rows.copy(),
            "fresh": self._fresh.copy(),
            "n_learnt": self.n_learnt,
            "bulk": {name: getattr(bulk, name).copy() for name in _Bulk._fields} if bulk else None,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, width = StateReader(state, self.kind), len(self.names)
        n_learnt = reader.integer("n_learnt")
        n_fresh = self._n_since_fit(n_learnt)
        fresh = reader.floats("fresh", (n_fresh, width))
        n_rows = min(n_learnt - n_fresh, self._settings.window)
        rows, bulk = reader.floats("rows", (n_rows, width)), None
        if n_learnt >= self.warm_up:
            inner = StateReader(reader.mapping("bulk"), self.kind)
            center, unit = (inner.floats(name, (width,)) for name in ("center", "unit"))
            bulk = _Bulk(center, unit, inner.floats("precision", (width, width)))
            if not all(np.isfinite(part).all() for part in bulk):
                raise StateError(f"the state of {self.kind} holds a fit that is not finite")
        self._rows, self._fresh, self._bulk, self.n_learnt = rows, fresh, bulk, n_learnt

    def _n_since_fit(self, n_learnt: int) -> int:
        """Return how many rows came after the last fit: at the warm-up, then every stride."""
        since = n_learnt - self.warm_up
        return n_learnt if since < 0 else since % self._settings.stride

    def _until_fit(self) -> int:
        if self.n_learnt < self.warm_up:
            return self.warm_up - self.n_learnt
        return self._settings.stride - self._n_since_fit(self.n_learnt)

    def _learn(self, x: Floats) -> None:
        self._fresh = np.concatenate((self._fresh, x))
        self.n_learnt += len(x)
        if self.n_learnt >= self.warm_up and self._n_since_fit(self.n_learnt) == 0:
            self._rows = np.concatenate((self._rows, self._fresh))[-self._settings.window :]
            self._fresh = np.zeros((0, len(self.names)))
            self._bulk = _fit(self._rows, self._settings)


def _own_parts(x: Floats, bulk: _Bulk, n_before: int) -> Floats:
    """Return each field's share in the squared distances: float64 [rows, fields].

    Matrices are multiplied in blocks of one shape, each row at the place that its number since
    the fit gives it, so that the last bits do not depend on the batch a row comes in.
    """
    scaled = _scaled(x, bulk.center, bulk.unit)
    parts = np.empty_like(scaled)
    for rows in spans(n_before, len(x), _BLOCK):
        block = np.zeros((_BLOCK, scaled.shape[1]))
        at = (n_before + rows.start) % _BLOCK
        place = slice(at, at + rows.stop - rows.start)
        block[place] = scaled[rows]
        parts[rows] = (block * (block @ bulk.precision))[place]
    return parts


def _scaled(x: Floats, center: Floats, unit: Floats) -> Floats:
    with np.errstate(over="ignore"):
        scaled = np.clip((x - center) / unit, -CAP, CAP)
    return np.where(np.isnan(x), 0.0, scaled)


def _fit(x: Floats, settings: RobustMahalanobisSettings) -> _Bulk:
    center, unit = _centers(x)
    scaled = _scaled(x, center, unit)
    distance = (scaled * scaled).sum(axis=1)
    n_kept = max(min(len(x), x.shape[1] + 1), math.ceil(settings.kept * len(x)))
    ridge = settings.ridge * np.eye(x.shape[1])
    for _ in range(settings.steps):
        bulk = scaled[np.argsort(distance, kind="stable")[:n_kept]]
        mean = bulk.mean(axis=0)
        apart = bulk - mean
        precision = np.linalg.inv(apart.T @ apart / len(bulk) + ridge)
        rest = scaled - mean
        distance = (rest * (rest @ precision)).sum(axis=1)
    return _Bulk(center + mean * unit, unit, precision)


def _centers(x: Floats) -> tuple[Floats, Floats]:
    """Return each field's median and robust deviation; 0 and 1 for one without values."""
    known = ~np.isnan(x)
    size = np.maximum(known.sum(axis=0), 1)
    ordered = np.sort(x, axis=0)  # NaN last
    field = np.arange(x.shape[1])
    center = ordered[(size - 1) // 2, field] / 2 + ordered[size // 2, field] / 2
    center = np.where(known.any(axis=0), center, 0.0)
    distance = np.where(known, np.abs(x - center), 0.0)
    unit = (distance / size).sum(axis=0) * _MEAN_TO_SD
    flat = unit <= 1e-12 * np.abs(center)  # rounding is no deviation
    least = np.maximum(_LEAST_UNIT * np.abs(center), 1e-9)
    return center, np.where(flat, least, np.maximum(unit, 1e-300))
