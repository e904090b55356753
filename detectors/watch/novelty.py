"""A scorer, such as half-space trees, with a threshold on its scores."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.anomaly.catalog import MakeScorer
from detectors.anomaly.contract import FieldScores, Scorer
from detectors.quantile import AdaptiveQuantile, Judged
from detectors.state import State, StateError
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

    The scorer stands on the fields known at its first row. When another appears, a successor on
    all fields known then begins to learn beside it, and takes over once its own warm-up and
    that of its threshold are through; so no row goes unjudged. Fields that appear meanwhile wait
    until it has taken over, when its own successor begins: two scorers at most, and each field
    takes part after two such spans at the latest. All this goes by the rows alone.

    Rows with none of a scorer's fields are neither judged nor learnt by it, and the scores of its
    warm-up are kept from the threshold. Both appear with score 0.0 and p_value 1.0, not flagged.
    """

    def __init__(self, make: MakeScorer, quantile: QuantileSettings) -> None:
        self._make, self._quantile = make, quantile
        self._current: _Bench | None = None
        self._next: _Bench | None = None

    def judge(self, names: tuple[str, ...], x: Floats) -> Novelty:
        """Judge and learn ``x`` (float64 [rows, names]); later calls may add names at the end."""
        parts: list[Novelty] = []
        while len(x) and names:
            current = self._seated(names)
            if self._next is None:
                parts.append(current.judge(x))
                break
            end = self._next.rows_until_ready(x)
            parts.append(current.judge(x[:end]))
            self._next.judge(x[:end])
            if self._next.is_ready:
                self._current, self._next = self._next, None
            x = x[end:]
        return _joined(parts) if parts else Novelty(np.zeros(len(x)), Judged.nothing(len(x)), None)

    def state(self) -> State:
        """Return the scorer's state, once there is one, the threshold's, and the successor's."""
        benches = [each for each in (self._current, self._next) if each]
        return {"benches": [each.state() for each in benches]}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        states = StateReader(state, "NoveltyGauge").states("benches")
        if len(states) > 2:
            raise StateError("the state of NoveltyGauge has more than a scorer and its successor")
        benches: list[_Bench | None] = []
        for inner in states:
            names = StateReader(inner, "NoveltyGauge").texts("names")
            bench = _Bench(names, self._make, self._quantile)
            bench.restore(inner)
            benches.append(bench)
        self._current, self._next = (*benches, None, None)[:2]

    def _seated(self, names: tuple[str, ...]) -> "_Bench":
        """Return the scorer in office; start one, or a successor, where it is time to."""
        if self._current is None:
            self._current = _Bench(names, self._make, self._quantile)
        elif self._next is None and len(names) > len(self._current.names):
            self._next = _Bench(names, self._make, self._quantile)
        return self._current


class _Bench:
    """A scorer and its threshold."""

    def __init__(
        self, names: tuple[str, ...], make: MakeScorer, quantile: QuantileSettings
    ) -> None:
        self.names = names
        self._scorer: Scorer = make(names)
        self._quantile = AdaptiveQuantile(quantile)

    @property
    def is_ready(self) -> bool:
        """Whether the next row can be flagged."""
        return self._quantile.is_ready

    def rows_until_ready(self, x: Floats) -> int:
        """Return how many of the rows ``x`` it takes until ready, or all."""
        missing = max(0, self._scorer.warm_up - self._scorer.n_learnt)
        missing += self._quantile.warm_up - self._quantile.n_seen
        rows = self._rows(x)
        return int(rows[missing - 1]) + 1 if len(rows) >= missing else len(x)

    def judge(self, x: Floats) -> Novelty:
        """Judge and learn ``x``, whose first columns are ``names``."""
        known, rows = x[:, : len(self.names)], self._rows(x)
        first_judged = max(0, self._scorer.warm_up - self._scorer.n_learnt)
        found = self._scorer.judge_learn(known if len(rows) == len(x) else known[rows])
        ready, scores = rows[first_judged:], found.scores[first_judged:]
        fields = _widened(found.fields, x, rows)
        if len(ready) == len(x):
            return Novelty(scores, self._quantile.update(scores), fields)
        judged, all_scores = Judged.nothing(len(x)), np.zeros(len(x))
        all_scores[rows] = found.scores
        if len(ready):
            for whole, part in zip(judged, self._quantile.update(scores), strict=True):
                whole[ready] = part
        return Novelty(all_scores, judged, fields)

    def state(self) -> State:
        """Return the fields, what the scorer learnt, and the threshold."""
        return {
            "names": list(self.names),
            "scorer": self._scorer.state(),
            "quantile": self._quantile.state(),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "NoveltyGauge")
        self._scorer.restore(reader.mapping("scorer"))
        self._quantile.restore(reader.mapping("quantile"))

    def _rows(self, x: Floats) -> Ints:
        known = ~np.isnan(x[:, : len(self.names)])
        return np.flatnonzero(np.logical_or.reduce(known, axis=1))


def _joined(parts: Sequence[Novelty]) -> Novelty:
    if len(parts) == 1:
        return parts[0]
    judged = (np.concatenate(each) for each in zip(*(p.judged for p in parts), strict=True))
    scores = np.concatenate([part.scores for part in parts])
    found = [part.fields for part in parts if part.fields is not None]
    if len(found) < len(parts):
        return Novelty(scores, Judged(*judged), None)
    ratio, center = (np.concatenate([each[i] for each in found]) for i in (0, 1))
    return Novelty(scores, Judged(*judged), FieldScores(ratio, center))


def _widened(fields: FieldScores | None, x: Floats, rows: Ints) -> FieldScores | None:
    """Return ``fields`` in the shape of ``x``, with nothing to say about the rest of it."""
    if fields is None or fields.ratio.shape == x.shape:
        return fields
    ratio, center = np.zeros(x.shape), np.full(x.shape, np.nan)
    width = fields.ratio.shape[1]
    ratio[rows, :width], center[rows, :width] = fields.ratio, fields.center
    return FieldScores(ratio, center)
