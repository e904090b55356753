"""The local outlier factor over a sliding window."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.rowwise import RowwiseScorer, min_max
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import CAP, Bools, Floats, Ints
from schemas.anomaly_settings import LocalOutlierFactorSettings

_LEAST = 1e-10  # added to a mean distance, so that a row among its equals has a density


class LocalOutlierFactor(RowwiseScorer):
    """Scores a row by how much sparser its surroundings are than those of its neighbours.

    For: clusters of different density, at low rates.

    With N the k = ``n_neighbors`` nearest of the last ``window`` rows and d_k(o) the distance
    of o to its own k-th neighbour, the density of x is 1 / mean over N of max(|x - o|, d_k(o)),
    and the score the mean density of N over that of x: about 1 in any cluster, however dense,
    and more outside; at most 1e6. The scores are those of ``river.anomaly.LocalOutlierFactor``
    over ``LazySearch(window)``, to rounding, behind ``MinMaxScaler`` when ``scale`` is set. Where
    River looks for the neighbours' neighbours at every row, they are kept here and mended when a
    row comes and another goes.

    Misses: anomalies that come in groups of more than ``n_neighbors``.

    References: Breunig, Kriegel, Ng and Sander, "LOF: Identifying density-based local
    outliers", SIGMOD 2000; Pokrajac, Lazarevic and Latecki, CIDM 2007.

    >>> x = np.random.default_rng(7).normal(size=(500, 2))
    >>> x[400] = 6.0
    >>> scores = LocalOutlierFactor(("a", "b")).score_learn(x)
    >>> print(f"most unusual: row {scores.argmax()}")
    most unusual: row 400
    """

    kind: ClassVar[str] = "local_outlier_factor"

    def __init__(
        self, names: tuple[str, ...], settings: LocalOutlierFactorSettings | None = None
    ) -> None:
        self._settings = settings or LocalOutlierFactorSettings()
        scaler = min_max(len(names), scale=self._settings.scale)
        super().__init__(names, self._settings.n_neighbors + 2, scaler)
        self._fill(np.zeros((0, len(names))))

    def _fill(self, rows: Floats) -> None:
        """Start from ``rows`` (float64 [rows, fields]), each at its place in the window."""
        k, window = self._settings.n_neighbors, self._settings.window
        self._rows = np.zeros((window, len(self.names)))
        self._rows[: len(rows)] = rows
        # A place without a row is infinitely far from all others, as is a row from itself.
        self._apart = np.full((window, window), np.inf)
        for place, row in enumerate(rows):
            self._place(place, row, len(rows))
        self._near = np.zeros((window, k), dtype=np.int64)
        self._reach = np.full((window, k), np.inf)
        self._look(np.arange(len(rows)))

    def _score(self, row: Floats) -> float:
        k = self._settings.n_neighbors
        apart = _distances(self._rows, row)
        apart[self.n_learnt :] = np.inf
        near = _nearest(apart[None], k + 1)[0]
        # As in River, a row is not its own neighbour: an equal one is left out.
        near = near[1:] if apart[near[0]] == 0.0 else near[:k]
        own = self._density(near[None], apart[near][None])[0]
        around = self._density(self._near[near], self._reach[near])
        return float(min(around.mean() / own, CAP))

    def _density(self, near: Ints, apart: Floats) -> Floats:
        """Return the local reachability density of rows with these neighbours: [rows]."""
        reach = np.maximum(apart, self._reach[near, -1])
        density: Floats = 1.0 / (reach.mean(axis=-1) + _LEAST)
        return density

    def _learn(self, row: Floats, present: Bools) -> None:
        window = self._settings.window
        place, n_rows = self.n_learnt % window, min(self.n_learnt + 1, window)
        mended = (self._near == place).any(axis=1)
        self._rows[place] = row
        self._place(place, row, n_rows)
        apart, reach = self._apart[place], self._reach[:, -1]
        mended |= apart < reach
        # Of neighbours equally far the first place counts, whatever the order they came in.
        mended |= (apart == reach) & (place < self._near[:, -1])
        mended[place] = True
        self._look(np.flatnonzero(mended[:n_rows]))

    def _place(self, place: int, row: Floats, n_rows: int) -> None:
        apart = _distances(self._rows, row)
        apart[place] = np.inf
        apart[n_rows:] = np.inf
        self._apart[place], self._apart[:, place] = apart, apart

    def _look(self, places: Ints) -> None:
        """Find the neighbours of the rows at ``places`` anew."""
        if len(places):
            near = _nearest(self._apart[places], self._settings.n_neighbors)
            self._near[places] = near
            self._reach[places] = np.take_along_axis(self._apart[places], near, axis=1)

    def _inner_state(self) -> State:
        return {"rows": self._rows[: min(self.n_learnt, self._settings.window)].copy()}

    def _restore_inner(self, reader: StateReader, n_learnt: int) -> None:
        n_rows = min(n_learnt, self._settings.window)
        rows = reader.floats("rows", (n_rows, len(self.names)))
        if not np.isfinite(rows).all():
            raise StateError(f"the state of {self.kind} holds rows that are not finite")
        self._fill(rows)


def _distances(rows: Floats, row: Floats) -> Floats:
    """Return the Euclidean distances of ``rows`` to ``row``, summed field by field."""
    squares = np.zeros(len(rows))
    for column, value in enumerate(row.tolist()):
        gap = rows[:, column] - value
        squares += gap * gap
    return np.sqrt(squares)


def _nearest(apart: Floats, k: int) -> Ints:
    """Return the ``k`` smallest places of each line, nearest first, the first of equals."""
    near: Ints = np.argsort(apart, axis=1, kind="stable")[:, :k]
    return near
