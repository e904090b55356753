"""A network of one hidden layer that repeats its input, and Adam to train it."""

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats
from schemas.anomaly_settings import AutoencoderSettings

_FIRST_DECAY, _SECOND_DECAY, _LEAST = 0.9, 0.999, 1e-8  # Adam's, as its paper has them


class Network:
    """``width`` inputs, tanh units, and ``width`` linear outputs.

    ``repeat`` and ``step`` take matrices of one shape only, which is what makes their last
    bits a function of each row alone.
    """

    def __init__(self, width: int, settings: AutoencoderSettings) -> None:
        hidden, rng = settings.hidden, np.random.default_rng(settings.seed)
        limit = np.sqrt(6.0 / max(width + hidden, 1))  # Glorot and Bengio, AISTATS 2010
        self._rate = settings.learning_rate
        self._weights = {
            "inward": rng.uniform(-limit, limit, (width, hidden)),
            "bend": np.zeros(hidden),
            "outward": rng.uniform(-limit, limit, (hidden, width)),
            "shift": np.zeros(width),
        }
        self._first = {name: np.zeros_like(each) for name, each in self._weights.items()}
        self._second = {name: np.zeros_like(each) for name, each in self._weights.items()}
        self._n_steps = 0

    def repeat(self, x: Floats) -> Floats:
        """Return what the network makes of ``x`` (float64 [rows, width])."""
        return self._forward(x)[1]

    def step(self, x: Floats) -> None:
        """Take one step down the gradient of the mean squared difference over ``x``."""
        hidden, repeated = self._forward(x)
        out = (repeated - x) * (2.0 / max(x.size, 1))
        back = (out @ self._weights["outward"].T) * (1.0 - hidden * hidden)
        self._descend(
            {
                "inward": x.T @ back,
                "bend": back.sum(axis=0),
                "outward": hidden.T @ out,
                "shift": out.sum(axis=0),
            }
        )

    def state(self) -> State:
        """Return the weights, Adam's two moments of their gradients, and the steps taken."""
        parts = {"weights": self._weights, "first": self._first, "second": self._second}
        copies = {part: {k: v.copy() for k, v in each.items()} for part, each in parts.items()}
        return {**copies, "n_steps": self._n_steps}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Network")
        n_steps = reader.integer("n_steps")
        parts = [self._read(reader.mapping(part)) for part in ("weights", "first", "second")]
        self._weights, self._first, self._second = parts
        self._n_steps = n_steps

    def _read(self, state: State) -> dict[str, Floats]:
        reader = StateReader(state, "Network")
        found = {name: reader.floats(name, each.shape) for name, each in self._weights.items()}
        if not all(np.isfinite(each).all() for each in found.values()):
            raise StateError("the state of Network holds weights that are not finite")
        return found

    def _forward(self, x: Floats) -> tuple[Floats, Floats]:
        hidden = np.tanh(x @ self._weights["inward"] + self._weights["bend"])
        return hidden, hidden @ self._weights["outward"] + self._weights["shift"]

    def _descend(self, gradients: dict[str, Floats]) -> None:
        self._n_steps += 1
        first_full = 1.0 - _FIRST_DECAY**self._n_steps
        second_full = 1.0 - _SECOND_DECAY**self._n_steps
        for name, gradient in gradients.items():
            first = _FIRST_DECAY * self._first[name] + (1.0 - _FIRST_DECAY) * gradient
            second = _SECOND_DECAY * self._second[name] + (1.0 - _SECOND_DECAY) * gradient**2
            self._first[name], self._second[name] = first, second
            step = (first / first_full) / (np.sqrt(second / second_full) + _LEAST)
            self._weights[name] = self._weights[name] - self._rate * step
