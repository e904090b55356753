"""Novelty of a metric against all its past: our own detector for single numbers."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.contract import FieldScores
from detectors.anomaly.cooldown import Cooldown
from detectors.anomaly.past_values import Neighbours, PastValues
from detectors.anomaly.serial import SerialRule
from detectors.anomaly.spans import spans
from detectors.anomaly.surprise import TailSurprise
from detectors.anomaly.views import RollingSpread, SeasonalProfile
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats
from schemas.anomaly_settings import NoveltySettings

_BLOCK = 32  # values admitted to the past at a time
_LEFT_OUT = 32  # newest values that are kept out of it, since neighbours in time are alike


class _View:
    """Novelty and surprise of one view of a metric.

    A value enters the past when 32 to 63 later ones have come, and 32 values enter together:
    between two entries the past stands still, so its values are looked up together.
    """

    def __init__(self, settings: NoveltySettings) -> None:
        self._past = PastValues(settings.history)
        self._tail = TailSurprise(settings.tail_window, settings.warm_up)
        self._waiting, self._distances = np.zeros(0), np.zeros(0)
        self._n_seen = 0

    def judge_learn(self, values: Floats) -> Neighbours:
        """Return the surprise of each value in place of its distance, and its nearest value."""
        surprise, nearest = np.zeros(len(values)), np.full(len(values), np.nan)
        for part in spans(self._n_seen, len(values), _BLOCK):
            found = self._past.neighbours(values[part])
            surprise[part], nearest[part] = self._tail.surprise(found.distance), found.nearest
            self._waiting = np.concatenate((self._waiting, values[part]))
            self._distances = np.concatenate((self._distances, found.distance))
            self._n_seen += part.stop - part.start
            if self._n_seen % _BLOCK == 0:
                self._settle()
        return Neighbours(surprise, nearest)

    def _settle(self) -> None:
        if len(self._past):
            self._tail.learn(self._distances)
        self._past.admit(self._waiting[:-_LEFT_OUT])
        self._waiting, self._distances = self._waiting[-_LEFT_OUT:].copy(), np.zeros(0)

    def state(self) -> State:
        return {
            "past": self._past.state(),
            "tail": self._tail.state(),
            "waiting": self._waiting.copy(),
            "distances": self._distances.copy(),
            "n_seen": self._n_seen,
        }

    def restore(self, state: State) -> None:
        reader = StateReader(state, "Novelty, a view")
        n_seen = reader.integer("n_seen")
        distances = reader.floats("distances", (n_seen % _BLOCK,))
        n_kept = _LEFT_OUT if n_seen >= _BLOCK else 0
        waiting = reader.floats("waiting", (n_kept + n_seen % _BLOCK,))
        if not (np.isfinite(distances).all() and np.isfinite(waiting).all()):
            raise StateError("the state of Novelty holds values that are not finite")
        self._past.restore(reader.mapping("past"))
        self._tail.restore(reader.mapping("tail"))
        self._waiting, self._distances, self._n_seen = waiting, distances, n_seen


class _Metric:
    """One field: three views of it, their surprises summed, and the cooldown."""

    def __init__(self, settings: NoveltySettings) -> None:
        self._limit = settings.limit
        self._profile = SeasonalProfile(settings.season_s, settings.season_bins)
        self._spread = RollingSpread()
        self._views = {name: _View(settings) for name in ("value", "residual", "spread")}
        self._cooldown = Cooldown(settings.cooldown)

    def follow(self, values: Floats, at_s: Floats) -> FieldScores:
        found = self._views["value"].judge_learn(values)
        total = found.distance
        residuals = self._profile.residuals_learn(values, at_s)
        total += self._views["residual"].judge_learn(residuals).distance
        spreads = self._spread.logs_learn(values)
        total[len(total) - len(spreads) :] += self._views["spread"].judge_learn(spreads).distance
        return FieldScores(self._cooldown.passed(total) / self._limit, found.nearest)

    def state(self) -> State:
        return {
            "profile": self._profile.state(),
            "spread": self._spread.state(),
            "cooldown": self._cooldown.state(),
            **{f"view_{name}": view.state() for name, view in self._views.items()},
        }

    def restore(self, state: State) -> None:
        reader = StateReader(state, "Novelty")
        self._profile.restore(reader.mapping("profile"))
        self._spread.restore(reader.mapping("spread"))
        self._cooldown.restore(reader.mapping("cooldown"))
        for name, view in self._views.items():
            view.restore(reader.mapping(f"view_{name}"))


class Novelty(SerialRule[_Metric]):
    """Flags a value where a metric does what it has never done before.

    For: single metrics of any kind, such as loads, latencies and counts.

    Three views of each field are compared with their own past: the value, what is left of it
    without the level of its hour (:class:`SeasonalProfile`), and the logarithm of the standard
    deviation of the last 64 values (:class:`RollingSpread`). The novelty of each is its
    distance to the second nearest of its past values, the newest 32 to 63 left out, and the
    novelty's tail probability its surprise (:class:`TailSurprise`). The surprises add up, as
    -log10 p does for independent views; a cooldown leaves one report for each happening
    (:class:`Cooldown`). The score is that in units of ``limit``.

    Nothing depends on the unit or the kind of the metric, so one setting serves all. The
    expected value reported is the nearest past value.

    Misses: a slow drift, which is never new, and an unusual order of usual values: take a drift
    detector for the one and :class:`PredictiveAnomalyDetection` for the other. Whatever happened
    before is not new either; after ``history`` other values it is, again.

    Reference: Pickands, "Statistical inference using extreme order statistics", Annals of
    Statistics 3 (1975), and Siffer, Fouque, Termier and Largouët, "Anomaly detection in streams
    with extreme value theory", KDD 2017, for the tail.

    >>> x = np.sin(np.arange(3000.0) / 20.0)[:, None]
    >>> x[2500] = 1.5
    >>> scores = Novelty(("t",)).score_learn(x)
    >>> print(f"flagged: rows {np.flatnonzero(scores >= 1.0)}")
    flagged: rows [2500]
    """

    kind: ClassVar[str] = "novelty"

    def __init__(self, names: tuple[str, ...], settings: NoveltySettings | None = None) -> None:
        self._settings = settings or NoveltySettings()
        super().__init__(names, self._settings.step_s)

    def _track(self) -> _Metric:
        return _Metric(self._settings)
