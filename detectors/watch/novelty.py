"""A scorer, such as half-space trees, with a threshold on its scores."""

from typing import NamedTuple

import numpy as np

from detectors.anomaly.catalog import MakeScorer
from detectors.anomaly.contract import FieldScores, Scorer
from detectors.quantile import AdaptiveQuantile, Judged
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats, Ints
from schemas.anomaly_settings import QuantileSettings


class Novelty(NamedTuple):
    """A scorer's scores, float64 [rows], and what the threshold makes of them.

    ``fields`` tells the fields apart, where the scorer can.
    """

    scores: Floats
    judged: Judged
    fields: FieldScores | None


class NoveltyGauge:
    """Flags the share of rows that a scorer finds least usual.

    The scorer stands on the fields of the first row. Rows with none of these fields are
    neither judged nor learnt, and the scores of the warm-up are kept from the threshold. Both
    appear with score 0.0 and p_value 1.0, not flagged.
    """

    def __init__(self, make: MakeScorer, quantile: QuantileSettings) -> None:
        self._make = make
        self._scorer: Scorer | None = None
        self._quantile = AdaptiveQuantile(quantile)

    def judge(self, names: tuple[str, ...], x: Floats) -> Novelty:
        """Judge and learn ``x`` (float64 [rows, names]); later calls may add names at the end."""
        if self._scorer is None and names:
            self._scorer = self._make(names)
        if self._scorer is None:
            return Novelty(np.zeros(len(x)), _unjudged(len(x)), None)
        return self._judge(self._scorer, x)

    def state(self) -> State:
        """Return the scorer's state, once there is one, and the threshold's."""
        scorer = self._scorer
        return {
            "names": list(scorer.names) if scorer else [],
            "scorer": scorer.state() if scorer else None,
            "quantile": self._quantile.state(),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "NoveltyGauge")
        names, scorer = reader.texts("names"), None
        if names:
            scorer = self._make(names)
            scorer.restore(reader.mapping("scorer"))
        self._quantile.restore(reader.mapping("quantile"))
        self._scorer = scorer

    def _judge(self, scorer: Scorer, x: Floats) -> Novelty:
        known = x[:, : len(scorer.names)]
        rows = np.flatnonzero(np.logical_or.reduce(~np.isnan(known), axis=1))
        first_judged = max(0, scorer.warm_up - scorer.n_learnt)
        found = scorer.judge_learn(known if len(rows) == len(x) else known[rows])
        ready, scores = rows[first_judged:], found.scores[first_judged:]
        if len(ready) == len(x):
            return Novelty(scores, self._quantile.update(scores), _widened(found.fields, x, rows))
        judged, all_scores = _unjudged(len(x)), np.zeros(len(x))
        all_scores[rows] = found.scores
        if len(ready):
            for whole, part in zip(judged, self._quantile.update(scores), strict=True):
                whole[ready] = part
        return Novelty(all_scores, judged, _widened(found.fields, x, rows))


def _unjudged(n_rows: int) -> Judged:
    return Judged(np.full(n_rows, np.inf), np.zeros(n_rows, dtype=np.bool_), np.ones(n_rows))


def _widened(fields: FieldScores | None, x: Floats, rows: Ints) -> FieldScores | None:
    """Return ``fields`` in the shape of ``x``, with nothing to say about the rest of it."""
    if fields is None or fields.ratio.shape == x.shape:
        return fields
    ratio, center = np.zeros(x.shape), np.full(x.shape, np.nan)
    width = fields.ratio.shape[1]
    ratio[rows, :width], center[rows, :width] = fields.ratio, fields.center
    return FieldScores(ratio, center)
