"""Half-space trees over batches, equal to River's bit for bit."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.anomaly.contract import Scores
from detectors.anomaly.forest import grow
from detectors.anomaly.guarded_scaler import GuardedScaler
from detectors.anomaly.masses import Masses
from detectors.anomaly.scaler import unscaled
from detectors.anomaly.walks import weigh_learn
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Bools, Floats, clean
from schemas.anomaly_settings import HalfSpaceTreesSettings

_CHUNK = 4096  # rows worked on at a time, which bounds the scratch memory
_FEW_ROWS = 8  # up to here, going row by row without arrays is faster
_FARTHER = 16.0  # how much emptier it is where values are held off than in the outermost cell
_LOW_TREES = 10  # height up to which trees are kept in the form that single rows need


class HalfSpaceTrees:
    """Scores a row by how empty the cells it falls into were in the last full window.

    For: anything; the default. It sees clusters and odd shapes, and takes rows with gaps.

    Random trees cut the space into cells and count the rows in each; after every ``window``
    rows the counts become the reference by which the next rows are scored. Scores lie in
    [0, 1]: near 1 is empty space. They equal those of ``river.anomaly.HalfSpaceTrees`` with
    the same settings, behind ``river.preprocessing.MinMaxScaler`` when ``scale`` is set, asked
    ``score_one(x)`` and told ``learn_one(x)`` row by row; the difference is exactly 0.0 as long
    as :class:`GuardedScaler` has no outlier to hold off. What it holds off falls into the
    outermost cell, whose mass counts a sixteenth then, and the scale stays as it was.

    As in River, the trees split on the fields that the first row has (or on all of ``names``,
    if ``on_all``), and a row that lacks a field goes where most rows of the current window
    went. Rows before the first with any field
    at all score 0.0 and are not learnt. The first ``warm_up`` rows learnt score 0.0, which says
    nothing about them; ``n_learnt`` tells how far it is.

    Counts decide about a row's way only where it lacks a field, and scores only change at the
    end of a window; so complete rows walk the trees together. Rows with missing fields walk one
    by one.

    Misses: subtle deviations between fields, and how far an outlier lies: all of them fall into
    the outermost cell.

    Reference: Tan, Ting and Liu, "Fast anomaly detection for streaming data", IJCAI 2011.

    >>> x = np.random.default_rng(7).exponential(size=(1000, 2))
    >>> x[900] = 6.0
    >>> scores = HalfSpaceTrees(("a", "b")).score_learn(x)
    >>> print(f"most unusual: row {scores.argmax()}")
    most unusual: row 900
    """

    kind: ClassVar[str] = "half_space_trees"

    def __init__(
        self,
        names: tuple[str, ...],
        settings: HalfSpaceTreesSettings | None = None,
        *,
        on_all: bool = False,
    ) -> None:
        self.names = names
        self._settings = settings or HalfSpaceTreesSettings()
        used = np.ones(len(names), dtype=np.bool_)
        self._planted = self._grown(used) if on_all else None
        self.n_learnt = 0

    @property
    def warm_up(self) -> int:
        """The number of rows to learn before the first is judged."""
        return self._settings.window

    def score_learn(self, x: Floats) -> Floats:
        """Score and learn ``x`` (float64 [rows, fields]); returns float64 [rows] in [0, 1]."""
        x = clean(x)
        scores = np.zeros(len(x))
        start = 0 if self._planted else self._plant(x)
        if self._planted:
            x = x[:, self._planted.used]
            if len(x) - start <= _FEW_ROWS and self._can_go_singly(x[start:]):
                scores[start:] = self._singly(self._planted, x[start:].tolist())
                return scores
            for begin in range(start, len(x), _CHUNK):
                end = min(begin + _CHUNK, len(x))
                scores[begin:end] = self._chunk(self._planted, x[begin:end])
        return scores

    def judge_learn(self, x: Floats) -> Scores:
        """Score and learn ``x``; which fields are guilty is not known."""
        return Scores(self.score_learn(x), None)

    def state(self) -> State:
        """Return the fields used, their extremes, the counts at the leaves, the rows learnt."""
        planted = self._planted
        return {
            "n_learnt": self.n_learnt,
            "used": planted.used.copy() if planted else np.zeros(len(self.names), dtype=np.bool_),
            "counts": planted.masses.counts() if planted else None,
            "scaler": planted.scaler.state() if planted else None,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, self.kind)
        n_learnt = reader.integer("n_learnt")
        used = reader.array("used", np.bool_, (len(self.names),))
        planted = None
        if used.any():
            planted = self._grown(used)
            shape = (2, self._settings.n_trees, 1 << self._settings.height)
            planted.masses.set_counts(reader.array("counts", planted.masses.dtype, shape))
            planted.scaler.restore(reader.mapping("scaler"))
        self._planted, self.n_learnt = planted, n_learnt

    def _plant(self, x: Floats) -> int:
        """Grow the trees on the fields of the first row with any; return that row's index."""
        present = ~np.isnan(x)
        rows = np.flatnonzero(present.any(axis=1))
        if not len(rows):
            return len(x)
        self._planted = self._grown(present[rows[0]])
        return int(rows[0])

    def _grown(self, used: Bools) -> "_Planted":
        options = self._settings
        n_fields = int(used.sum())
        # River draws the trees over the sorted names.
        names = [name for name, is_used in zip(self.names, used, strict=True) if is_used]
        order = tuple(int(i) for i in np.argsort(names, kind="stable"))
        forest = grow(order, options.n_trees, options.height, options.seed)
        return _Planted(used, GuardedScaler(n_fields), Masses(forest, options.window))

    def _chunk(self, planted: "_Planted", x: Floats) -> Floats:
        scaled = planted.scaler.scale_learn(x) if self._settings.scale else unscaled(x)
        missing, scores = np.isnan(x), np.zeros(len(x))
        for part in self._windows(len(x)):
            weights = weigh_learn(planted.masses, scaled.rows(part), missing[part])
            if scaled.held is not None:
                weights[scaled.held[part]] /= _FARTHER
            if self.n_learnt >= self.warm_up:
                scores[part] = 1.0 - weights / self._heaviest
            self.n_learnt += len(weights)
            if self.n_learnt % self._settings.window == 0:
                planted.masses.pivot()
        return scores

    def _can_go_singly(self, x: Floats) -> bool:
        options = self._settings
        return options.scale and options.height <= _LOW_TREES and not np.isnan(x).any()

    def _singly(self, planted: "_Planted", rows: list[list[float]]) -> list[float]:
        """Do what :meth:`_chunk` does, for a few complete rows."""
        scaler, masses, scores = planted.scaler, planted.masses, []
        for row in rows:
            before, after, changed, held = scaler.scale_learn_one(row)
            learnt = masses.fall(after)
            score = 0.0
            if self.n_learnt >= self.warm_up:
                scored = masses.fall(before) if changed else learnt
                weight = masses.weight(scored)
                score = 1.0 - (weight / _FARTHER if held else weight) / self._heaviest
            scores.append(score)
            masses.count(learnt)
            self.n_learnt += 1
            if self.n_learnt % self._settings.window == 0:
                masses.pivot()
        return scores

    def _windows(self, n_rows: int) -> Iterator[slice]:
        """Cut ``n_rows`` further rows where windows end."""
        begin = 0
        while begin < n_rows:
            left = self._settings.window - self.n_learnt % self._settings.window
            yield slice(begin, min(begin + left, n_rows))
            begin += left

    @property
    def _heaviest(self) -> int:
        options = self._settings
        return options.n_trees * options.window * ((2 << options.height) - 1)


class _Planted(NamedTuple):
    """What exists once the first row has told which fields there are."""

    used: Bools
    scaler: GuardedScaler
    masses: Masses
