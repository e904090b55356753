"""The linear one-class support vector machine, learnt by stochastic gradients."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.rowwise import RowwiseScorer, standard
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Bools, Floats
from schemas.anomaly_settings import OneClassSvmSettings


class OneClassSvm(RowwiseScorer):
    """Scores a row by its product with the weights of a one-class SVM.

    For: comparison with River.

    For each row x the weights w and the offset b go one step of size r down the gradient of
    max(0, 1 - (w'x + b)) + nu / 4 |w|² + nu b. The score is w'x, to rounding that of
    ``river.anomaly.OneClassSVM`` with the same settings, behind
    ``river.preprocessing.StandardScaler`` when ``scale`` is set. It may be negative.

    The score grows in one direction only: what is unusual on the other side gets the lowest
    scores, and what is unusual across it gets none. River's name is kept for those who compare;
    for a stream nobody knows, :class:`RobustMahalanobis` is the better choice.

    Misses: whatever is unusual in any but the one direction in which the score grows.

    Reference: Schölkopf et al., "Estimating the support of a high-dimensional distribution",
    Neural Computation 2001.

    >>> x = np.random.default_rng(7).exponential(size=(1000, 2))
    >>> x[900] = 15.0
    >>> scores = OneClassSvm(("a", "b"), OneClassSvmSettings(scale=False)).score_learn(x)
    >>> print(f"most unusual: row {scores.argmax()}")
    most unusual: row 900
    """

    kind: ClassVar[str] = "one_class_svm"

    def __init__(self, names: tuple[str, ...], settings: OneClassSvmSettings | None = None) -> None:
        self._settings = settings or OneClassSvmSettings()
        scaler = standard(len(names), scale=self._settings.scale)
        super().__init__(names, self._settings.warm_up, scaler)
        self._weights, self._offset = np.zeros(len(names)), 1.0

    def _score(self, row: Floats) -> float:
        return float(self._weights @ row)

    def _learn(self, row: Floats, present: Bools) -> None:
        rate, shrink = self._settings.learning_rate, self._settings.nu / 2.0
        slope = -1.0 if float(self._weights @ row) + self._offset <= 1.0 else 0.0
        self._offset -= rate * slope + 2.0 * rate * shrink
        # As in River, the weights of fields that a row lacks stay as they are.
        self._weights = self._weights - present * rate * (slope * row + shrink * self._weights)

    def _inner_state(self) -> State:
        return {"weights": self._weights.copy(), "offset": float(self._offset)}

    def _restore_inner(self, reader: StateReader, n_learnt: int) -> None:
        weights, offset = reader.floats("weights", self._weights.shape), reader.number("offset")
        if not (np.isfinite(weights).all() and np.isfinite(offset)):
            raise StateError("the state of one_class_svm holds weights that are not finite")
        self._weights, self._offset = weights, offset
