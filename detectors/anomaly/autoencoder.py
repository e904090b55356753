"""A small network that learns, in the stream, to repeat a row through a bottleneck."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.contract import FieldScores, Scores
from detectors.anomaly.moments import SQUARABLE
from detectors.anomaly.network import Network
from detectors.anomaly.spans import spans
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import CAP, Floats, clean
from schemas.anomaly_settings import AutoencoderSettings

_BLOCK = 32  # rows to a training step
_LARGEST_INPUT = 5.0  # deviations: what the network sees of an outlier
_PAST = 10_000.0  # rows that the mean and deviation remember


class Autoencoder:
    """Scores a row by how badly a network repeats it that learnt to repeat the rows before.

    For: payloads of dozens of numbers that depend on each other.

    Every field is standardised by its mean and deviation; a network with one layer of
    ``hidden`` tanh units and a linear output repeats the row. The score is the root of the
    mean squared difference over the fields the row has, in their deviations. After every 32
    rows, wherever batches end, the network takes one Adam step on them; until then, all rows
    meet the same weights. What the network sees and learns is held within ±5 deviations, so
    one outlier teaches it little; the score is not.

    The bottleneck leaves room for what the fields have in common, so it is for payloads of
    many fields that depend on each other; with fewer fields than ``hidden`` units it learns to
    repeat anything. A missing value counts as the mean and is not scored. The ratio of a field
    is its own difference, and the value expected is the one repeated.

    Misses: anomalies of rows with fewer fields than ``hidden`` units, and those before
    ``warm_up``.

    References: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural
    networks", Science 2006; Kingma and Ba, "Adam", ICLR 2015.

    >>> rng = np.random.default_rng(7)
    >>> causes = rng.normal(size=(6000, 4))
    >>> x = causes @ rng.normal(size=(4, 30)) + 0.1 * rng.normal(size=(6000, 30))
    >>> x[5500] = rng.permutation(x[5500])  # usual values, each in the wrong field
    >>> scores = Autoencoder(tuple(f"f{i}" for i in range(30))).score_learn(x)
    >>> print(f"most unusual: row {512 + scores[512:].argmax()}")
    most unusual: row 5500
    """

    kind: ClassVar[str] = "autoencoder"

    def __init__(self, names: tuple[str, ...], settings: AutoencoderSettings | None = None) -> None:
        self.names = names
        self._settings = settings or AutoencoderSettings()
        self._network = Network(len(names), self._settings)
        self._block = np.full((_BLOCK, len(names)), np.nan)  # the rows since the last step
        self._n, self._mean, self._variance = (np.zeros(len(names)) for _ in range(3))
        self.n_learnt = 0

    @property
    def warm_up(self) -> int:
        """The number of rows to learn before the first is judged: whole training steps."""
        return -(-self._settings.warm_up // _BLOCK) * _BLOCK

    def score_learn(self, x: Floats) -> Floats:
        """Score and learn ``x`` (float64 [rows, fields]); differences, float64 [rows]."""
        return self.judge_learn(x).scores

    def judge_learn(self, x: Floats) -> Scores:
        """Score and learn ``x`` (float64 [rows, fields]), telling the fields apart."""
        x = np.clip(clean(x), -SQUARABLE, SQUARABLE)
        scores = np.zeros(len(x))
        found = FieldScores(np.zeros(x.shape), np.full(x.shape, np.nan))
        rows = np.flatnonzero((~np.isnan(x)).any(axis=1))
        for part in spans(self.n_learnt, len(rows), _BLOCK):
            first = self.n_learnt % _BLOCK
            place = slice(first, first + part.stop - part.start)
            self._block[place] = x[rows[part]]
            if self.n_learnt >= self.warm_up:
                ratio, center = self._differences()
                found.ratio[rows[part]], found.center[rows[part]] = ratio[place], center[place]
                scores[rows[part]] = _root_mean(ratio, self._block)[place]
            self.n_learnt += part.stop - part.start
            if self.n_learnt % _BLOCK == 0:
                self._learn()
        return Scores(scores, found)

    def state(self) -> State:
        """Return the weights, the scales and the rows since the last step."""
        return {
            "network": self._network.state(),
            "block": self._block.copy(),
            "scales": np.stack((self._n, self._mean, self._variance)),
            "n_learnt": self.n_learnt,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, width = StateReader(state, self.kind), len(self.names)
        n_learnt, block = reader.integer("n_learnt"), reader.floats("block", (_BLOCK, width))
        scales = reader.floats("scales", (3, width))
        if not np.isfinite(scales).all() or np.isinf(block).any():
            raise StateError(f"the state of {self.kind} holds numbers that are not finite")
        self._network.restore(reader.mapping("network"))
        self._block, self.n_learnt = block, n_learnt
        self._n, self._mean, self._variance = scales

    def _differences(self) -> tuple[Floats, Floats]:
        """Return each field's difference in the block, and the values repeated.

        The whole block goes through the network, each row at its place in it, so that the last
        bits do not depend on the batch a row comes in.
        """
        scaled, unit = self._scaled(), np.sqrt(self._variance)
        repeated = self._network.repeat(_seen(scaled))
        ratio = np.minimum(np.abs(scaled - repeated), CAP)
        return np.nan_to_num(ratio, nan=0.0), repeated * unit + self._mean

    def _scaled(self) -> Floats:
        unit = np.sqrt(self._variance)
        # A field that never varied is judged by a thousandth of its value.
        flat = unit <= 1e-12 * np.abs(self._mean)
        unit = np.where(flat, np.maximum(1e-3 * np.abs(self._mean), 1e-9), unit)
        with np.errstate(over="ignore"):
            return np.clip((self._block - self._mean) / unit, -CAP, CAP)

    def _learn(self) -> None:
        if self._n.any():
            self._network.step(_seen(self._scaled()))
        self._learn_scales()
        self._block[:] = np.nan

    def _learn_scales(self) -> None:
        known = ~np.isnan(self._block)
        rows = np.where(known, self._block, self._mean)
        n = np.minimum(self._n, _PAST) + known.sum(axis=0)
        safe = np.maximum(n, 1.0)
        mean = self._mean + (rows - self._mean).sum(axis=0) / safe
        squares = np.where(known, (rows - self._mean) * (rows - mean), 0.0).sum(axis=0)
        kept = np.minimum(self._n, _PAST) * self._variance
        self._n, self._mean, self._variance = n, mean, np.maximum(kept + squares, 0.0) / safe


def _seen(scaled: Floats) -> Floats:
    """Return what the network sees: 0, the mean, for a missing value."""
    return np.nan_to_num(np.clip(scaled, -_LARGEST_INPUT, _LARGEST_INPUT), nan=0.0)


def _root_mean(ratio: Floats, block: Floats) -> Floats:
    n_fields = np.maximum((~np.isnan(block)).sum(axis=1), 1)
    mean: Floats = np.sqrt((ratio * ratio).sum(axis=1) / n_fields)
    return mean
