"""Two sketched samples of one field: do they differ, for sure, and by how much, in words."""

import math
from dataclasses import dataclass

import numpy as np

from detectors.chi_squared import survival
from detectors.sketch import Sketch
from detectors.values import CAP, Floats

BINS = 10
"""Bins of equal baseline mass for the population stability index."""

LEAST = 20
"""Values in either sample below which nothing is said about a difference."""

_SIZES = ((0.31, "large"), (0.20, "medium"), (0.08, "small"))  # of Cohen's d of 0.8, 0.5 and 0.2
_PSI_SIZES = ((0.5, "large"), (0.25, "medium"), (0.10, "small"))
_ERRORS_PER_BOUND = math.sqrt(2.0 * math.log(200.0))  # standard errors in a sketch's 99 % bound
_PSEUDO_COUNT = 0.5
_LEAST_SHIFT = 0.05  # of the median, in deviations, and
_LEAST_SPREAD = 0.1  # of the spread: what is smaller is not told
_QUARTILE_DEVIATIONS = 1.349  # standard deviations between the quartiles of a normal distribution


@dataclass(frozen=True)
class Comparison:
    """How a field's recent values differ from its baseline.

    ``distance``: the largest distance of the distribution functions (Kolmogorov-Smirnov), in
    [0, 1], less what the sketches may be off. ``psi``: the population stability index over ten
    bins. ``p_value``: the probability that either is as large without a change, for samples of
    this size of independent values. ``shift``: of the median, in baseline deviations; ``spread``:
    the ratio of the deviations, NaN over a baseline without any. ``size``: how large, whether
    it is certain or not: ``negligible``, ``small``, ``medium`` or ``large``, as far as normal
    distributions that lie 0.2, 0.5 and 0.8 deviations apart.
    """

    n_before: int
    n_now: int
    distance: float
    psi: float
    p_value: float
    shift: float
    spread: float
    size: str

    def is_change(self, alpha: float) -> bool:
        """Whether it differs with certainty 1 - ``alpha``, and by more than a negligible size."""
        return self.p_value <= alpha and self.size != "negligible"

    def words(self, alpha: float) -> str:
        """What changed, for people."""
        if min(self.n_before, self.n_now) < LEAST:
            return f"too few values to tell: {LEAST} at least"
        if not self.is_change(alpha):
            return "no change" if self.p_value > alpha else "a negligible change"
        way = "up" if self.shift > 0.0 else "down"
        moved = abs(self.shift) >= _LEAST_SHIFT
        parts = [f"median {way} by {abs(self.shift):.2g} deviations" if moved else "same median"]
        if not abs(self.spread - 1.0) < _LEAST_SPREAD:
            parts.append(f"spread {self.spread:.2g} times" if self.spread > 0.0 else "other spread")
        return f"{self.size} change: {', '.join(parts)}"


def compare(before: Sketch, now: Sketch) -> Comparison:
    """Compare two samples; with fewer than :data:`LEAST` values in either the p-value is 1.

    References: Stephens, JRSS B 32 (1970), for the distance; Yurdakul, "Statistical properties of
    population stability index" (2018), for the index. Both p-values count twice, and the errors
    of the sketches count as if the samples were as much smaller.

    >>> rng, before, now = np.random.default_rng(5), Sketch(), Sketch()
    >>> before.update(rng.normal(size=50_000))
    >>> now.update(rng.normal(0.6, 1.0, size=500))
    >>> found = compare(before, now)
    >>> found.size, found.is_change(0.01), round(found.shift, 1)
    ('medium', True, 0.6)
    """
    distance = _distance(before, now)
    psi, psi_p = _psi(before, now)
    p_value = min(1.0, 2.0 * min(_ks_p(distance, len(before), len(now)), psi_p))
    unit = _deviation(before)
    return Comparison(
        n_before=len(before),
        n_now=len(now),
        distance=distance,
        psi=psi,
        p_value=p_value if min(len(before), len(now)) >= LEAST else 1.0,
        shift=_shift(now.quantile(0.5) - before.quantile(0.5), unit),
        spread=_deviation(now) / unit if unit > 0.0 else math.nan,
        size=_size(distance, psi),
    )


def _distance(before: Sketch, now: Sketch) -> float:
    points = np.concatenate((before.weighted().values, now.weighted().values))
    largest = float(np.abs(before.ranks(points) - now.ranks(points)).max())
    return max(0.0, largest - before.rank_error - now.rank_error)


def _ks_p(distance: float, n: int, m: int) -> float:
    root = math.sqrt(n * m / (n + m))
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:  # the series converges slowly there, towards 1
        return 1.0
    terms = [(-1) ** (k - 1) * math.exp(-2.0 * (k * scaled) ** 2) for k in range(1, 20)]
    return min(max(2.0 * math.fsum(terms), 0.0), 1.0)


def _psi(before: Sketch, now: Sketch) -> tuple[float, float]:
    """The index and its p-value; ties may leave fewer than ten bins, and one bin tells nothing."""
    edges = np.unique([before.quantile(i / BINS) for i in range(1, BINS)])
    old, new = _shares(before, edges), _shares(now, edges)
    filled = (old > 0.0) | (new > 0.0)
    if filled.sum() < 2:
        return 0.0, 1.0
    p, q = (_padded(shares[filled], len(s)) for shares, s in ((old, before), (new, now)))
    index = float(((q - p) * np.log(q / p)).sum())
    n_bins = int(filled.sum())
    noise = 1.0 / len(before) + 1.0 / len(now)
    noise += 2.0 * n_bins * sum((s.rank_error / _ERRORS_PER_BOUND) ** 2 for s in (before, now))
    return index, survival(index / noise, n_bins - 1)


def _shares(sketch: Sketch, edges: Floats) -> Floats:
    return np.diff(sketch.ranks(edges), prepend=0.0, append=1.0)


def _padded(shares: Floats, n: int) -> Floats:
    counts = shares * n + _PSEUDO_COUNT
    padded: Floats = counts / counts.sum()
    return padded


def _deviation(sketch: Sketch) -> float:
    """A standard deviation from the quartiles, or from the ends where these are the same."""
    quartiles = (sketch.quantile(0.75) - sketch.quantile(0.25)) / _QUARTILE_DEVIATIONS
    return quartiles or (sketch.quantile(0.995) - sketch.quantile(0.005)) / 5.152


def _shift(moved: float, unit: float) -> float:
    if moved == 0.0:
        return 0.0
    if unit == 0.0 or abs(moved) / CAP > unit:
        return math.copysign(CAP, moved)
    return moved / unit


def _size(distance: float, psi: float) -> str:
    words = ["negligible", "small", "medium", "large"]
    by_distance = next((word for least, word in _SIZES if distance >= least), words[0])
    by_psi = next((word for least, word in _PSI_SIZES if psi >= least), words[0])
    return max(by_distance, by_psi, key=words.index)
