"""LODA: histograms of random projections. The arithmetic is River's own."""

from typing import Any, ClassVar, cast

import numpy as np

from detectors.anomaly.rowwise import RowwiseScorer, min_max
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Bools, Floats
from schemas.anomaly_settings import LodaSettings


class Loda(RowwiseScorer):
    """Scores a row by how rare its random projections are: the mean of -log density.

    For: comparison with River, and rows of many fields.

    This is ``river.anomaly.LODA`` with the same settings, behind
    ``river.preprocessing.MinMaxScaler`` when ``scale`` is set, fed row by row: the difference
    is exactly 0.0. River is loaded when the first row is learnt, and its histograms go into the
    state bin by bin. The projections stand on all fields, drawn over their sorted names; a
    missing value counts as 0.

    A projected value between or beyond the bins has no density at all and counts 27.6 (-log
    1e-12), however far it is.

    Misses: how far a row is: beyond the bins every value counts the same.

    Reference: Pevný, "Loda: Lightweight on-line detector of anomalies", Machine Learning 2016.

    >>> x = np.random.default_rng(7).normal(size=(600, 2))
    >>> x[500] = 9.0
    >>> scores = Loda(("a", "b")).score_learn(x)
    >>> print(f"most unusual: row {scores.argmax()}")
    most unusual: row 500
    """

    kind: ClassVar[str] = "loda"

    def __init__(self, names: tuple[str, ...], settings: LodaSettings | None = None) -> None:
        self._settings = settings or LodaSettings()
        scaler = min_max(len(names), scale=self._settings.scale)
        super().__init__(names, self._settings.warm_up, scaler)
        self._river: Any = None

    def _score(self, row: Floats) -> float:
        return float(self._river.score_one(self._named(row))) if self._river else 0.0

    def _learn(self, row: Floats, present: Bools) -> None:
        if self._river is None:
            self._river = self._drawn()
        self._river.learn_one(self._named(row))

    def _named(self, row: Floats) -> dict[str, float]:
        return dict(zip(self.names, row.tolist(), strict=True))

    def _drawn(self) -> Any:
        """Return River's detector with its projections drawn and its histograms empty."""
        from river.anomaly import LODA

        options = self._settings
        river = LODA(options.n_bins, options.n_random_cuts, options.seed)
        river._initialize(dict.fromkeys(self.names, 0.0))
        return river

    def _inner_state(self) -> State:
        histograms = self._river.histograms_ if self._river else []
        bins = [(b.left, b.right, float(b.count)) for h in histograms for b in h.data]
        return {
            "bins": np.array(bins, dtype=np.float64).reshape(len(bins), 3),
            "sizes": np.array([len(h.data) for h in histograms], dtype=np.int64),
        }

    def _restore_inner(self, reader: StateReader, n_learnt: int) -> None:
        n_histograms = self._settings.n_random_cuts if n_learnt else 0
        sizes = reader.array("sizes", np.int64, (n_histograms,))
        if (sizes < 1).any() or (sizes > self._settings.n_bins).any():
            raise StateError(f"the state of {self.kind} has histograms of impossible sizes")
        bins = reader.floats("bins", (int(sizes.sum()), 3))
        if not np.isfinite(bins).all():
            raise StateError(f"the state of {self.kind} holds bins that are not finite")
        self._river = self._filled(bins, sizes, n_learnt) if n_learnt else None

    def _filled(self, bins: Floats, sizes: Any, n_learnt: int) -> Any:
        from river.sketch.histogram import Bin

        river, bin_of = self._drawn(), cast(Any, Bin)
        ends = np.cumsum(sizes).tolist()
        for histogram, begin, end in zip(river.histograms_, [0, *ends], ends, strict=False):
            histogram.n = n_learnt
            part = bins[begin:end].tolist()
            histogram.data = [bin_of(left, right, int(count)) for left, right, count in part]
        return river
