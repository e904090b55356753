"""Half-space trees with a threshold on their scores."""

from typing import NamedTuple

import numpy as np

from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.quantile import AdaptiveQuantile, Judged
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats
from schemas.anomaly_settings import HalfSpaceTreesSettings, QuantileSettings


class Novelty(NamedTuple):
    """The trees' scores, float64 [rows], and what the threshold makes of them."""

    scores: Floats
    judged: Judged


class NoveltyGauge:
    """Flags the share of rows that half-space trees find the emptiest space around.

    The trees stand on the fields of the first row. Rows with none of these fields are neither
    judged nor learnt, and the scores of the trees' first window are kept from the threshold.
    Both appear with score 0.0 and p_value 1.0, not flagged.
    """

    def __init__(self, trees: HalfSpaceTreesSettings, quantile: QuantileSettings) -> None:
        self._settings = trees
        self._trees: HalfSpaceTrees | None = None
        self._quantile = AdaptiveQuantile(quantile)

    def judge(self, names: tuple[str, ...], x: Floats) -> Novelty:
        """Judge and learn ``x`` (float64 [rows, names]); later calls may add names at the end."""
        novelty = _unjudged(len(x))
        if self._trees is None and names:
            self._trees = HalfSpaceTrees(names, self._settings)
        if self._trees:
            self._judge(self._trees, x[:, : len(self._trees.names)], novelty)
        return novelty

    def state(self) -> State:
        """Return the trees' state, once there are any, and the threshold's."""
        trees = self._trees
        return {
            "names": list(trees.names) if trees else [],
            "trees": trees.state() if trees else None,
            "quantile": self._quantile.state(),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "NoveltyGauge")
        names, trees = reader.texts("names"), None
        if names:
            trees = HalfSpaceTrees(names, self._settings)
            trees.restore(reader.mapping("trees"))
        self._quantile.restore(reader.mapping("quantile"))
        self._trees = trees

    def _judge(self, trees: HalfSpaceTrees, x: Floats, novelty: Novelty) -> None:
        rows = np.flatnonzero(np.logical_or.reduce(~np.isnan(x), axis=1))
        first_judged = max(0, trees.warm_up - trees.n_learnt)
        scores = trees.score_learn(x if len(rows) == len(x) else x[rows])
        novelty.scores[rows] = scores
        ready = rows[first_judged:]
        for found, judged in zip(
            novelty.judged, self._quantile.update(scores[first_judged:]), strict=True
        ):
            found[ready] = judged


def _unjudged(n_rows: int) -> Novelty:
    never, no = np.full(n_rows, np.inf), np.zeros(n_rows, dtype=np.bool_)
    return Novelty(np.zeros(n_rows), Judged(never, no, np.ones(n_rows)))
