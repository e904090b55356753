"""Twenty unlike streams: do the adaptive threshold and the watch flag the share they are told?"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from detectors.quantile import AdaptiveQuantile
from detectors.values import Floats
from detectors.watch import AnomalyWatch
from schemas.anomaly_settings import AnomalySettings, QuantileSettings

N, SEED = 60_000, 8
_ROWS = np.arange(N)

Draw = Callable[[np.random.Generator], Floats]


def _autoregressive(phi: float) -> Draw:
    def draw(rng: np.random.Generator) -> Floats:
        values, last = [], 0.0
        for noise in rng.normal(size=N).tolist():
            last = phi * last + noise
            values.append(last)
        return np.array(values)

    return draw


def _volatile(rng: np.random.Generator) -> Floats:
    """GARCH(1, 1): quiet and stormy times take turns."""
    values, variance, last = [], 1.0, 0.0
    for noise in rng.normal(size=N).tolist():
        variance = 0.1 + 0.1 * last * last + 0.8 * variance
        last = math.sqrt(variance) * noise
        values.append(last)
    return np.array(values)


STREAMS: dict[str, Draw] = {
    "uniform": lambda rng: rng.random(N),
    "normal": lambda rng: rng.normal(size=N),
    "exponential": lambda rng: rng.exponential(size=N),
    "Laplace": lambda rng: rng.laplace(size=N),
    "log-normal": lambda rng: rng.lognormal(sigma=2.0, size=N),
    "Pareto, no mean": lambda rng: rng.pareto(1.0, size=N),
    "Cauchy": lambda rng: rng.standard_cauchy(size=N),
    "Student, 3 degrees": lambda rng: rng.standard_t(3, size=N),
    "U-shaped beta": lambda rng: rng.beta(0.5, 0.5, size=N),
    "Weibull, shape 0.5": lambda rng: rng.weibull(0.5, size=N),
    "Gumbel": lambda rng: rng.gumbel(size=N),
    "bounded above": lambda rng: -rng.exponential(size=N),
    "two levels": lambda rng: np.where(rng.random(N) < 0.98, 0.0, 5.0) + rng.normal(size=N),
    "tiny": lambda rng: 1e-300 * rng.random(N),
    "huge": lambda rng: 1e290 * rng.normal(size=N),
    "autoregressive, 0.7": _autoregressive(0.7),
    "volatile (GARCH)": _volatile,
    "slowly rising": lambda rng: rng.normal(size=N) + np.linspace(0.0, 0.5, N),
    "slowly swinging": lambda rng: rng.normal(size=N) * (1.5 + np.sin(_ROWS / 1500.0)),
    "daily season": lambda rng: rng.normal(size=N) + 3.0 * np.sin(_ROWS * (2.0 * np.pi / 288.0)),
}


class Share(NamedTuple):
    """The share that was flagged of a stream's values taken as scores, and of its rows.

    ``ours`` and ``fixed``: by the adaptive threshold and by one fixed after the warm-up, of the
    values as scores. ``watched``: of the rows of one field, ``watched_together``: of five, by
    :class:`AnomalyWatch` as configured by default; all after the warm-up.
    """

    stream: str
    ours: float
    fixed: float
    watched: float
    watched_together: float


def shares(settings: QuantileSettings | None = None) -> Iterator[Share]:
    """Yield the flagged shares of every stream, after the warm-up."""
    for at, (name, draw) in enumerate(STREAMS.items()):
        scores = draw(np.random.default_rng((SEED, at)))
        quantile = AdaptiveQuantile(settings)
        flagged = quantile.update(scores).flagged[quantile.warm_up :]
        naive = np.quantile(scores[: quantile.warm_up], 0.99)
        fixed = float((scores[quantile.warm_up :] > naive).mean())
        five = [draw(np.random.default_rng((SEED, at, field))) for field in range(5)]
        yield Share(
            name,
            float(flagged.mean()),
            fixed,
            watched(scores[:, None]),
            watched(np.stack(five, axis=1)),
        )


def watched(x: Floats) -> float:
    """Return the share of the rows of ``x`` (float64 [rows, fields]) that a watch flags."""
    settings = AnomalySettings()
    assert settings.half_space_trees is not None
    names = tuple(f"f{number}" for number in range(x.shape[1]))
    found = AnomalyWatch(settings).observe(names, x)
    first = settings.half_space_trees.window + settings.quantile.warm_up
    return sum(verdict.row >= first for verdict in found) / (len(x) - first)
