"""Shiryaev-Roberts e-detectors, many bets side by side, for many values at once.

A bet is a function of a value whose expectation without a change is 1, whatever came before.
Its Shiryaev-Roberts sum is M_t = (M_{t-1} + 1) * b_t: what all the gamblers own together of
whom one starts at every value with one coin and stakes everything on every bet. Without a
change E[M_t] = t, so the mean over several bets exceeds c within n values with probability
n / c at most; after a change it grows at the rate of the best bet.

Reference: Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential
change detection", New England Journal of Statistics in Data Science 2 (2024).
"""

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats

BLOCK = 64
"""Values between two renormalisations; products of that many bets stay within float64."""


class Evidence:
    """The Shiryaev-Roberts sums of ``n_bets`` bets.

    Within a block M_t = P_t * (M_0 + sum of 1 / P_s over s < t), P being the running product
    of the bets: two cumulative operations instead of a loop. They add up strictly from left to
    right, and blocks begin at fixed counts, so any split gives the same bits.
    """

    def __init__(self, n_bets: int) -> None:
        self._start: Floats = np.zeros((n_bets, 1))
        self._product: Floats = np.ones((n_bets, 1))
        self._sum: Floats = np.zeros((n_bets, 1))
        self._n = 0

    @property
    def room(self) -> int:
        """How many values the present block still takes."""
        return BLOCK - self._n % BLOCK

    def push(self, bets: Floats) -> Floats:
        """Take in ``bets`` (float64 [n_bets, n <= room], > 0); the mean sum after each value."""
        products: Floats = np.concatenate((self._product, bets), axis=1).cumprod(axis=1)
        steps = np.concatenate((self._sum, 1.0 / products[:, :-1]), axis=1)
        sums = steps.cumsum(axis=1)
        totals = products[:, 1:] * (self._start + sums[:, 1:])
        self._product, self._sum = products[:, -1:], sums[:, -1:]
        self._n += bets.shape[1]
        if self._n % BLOCK == 0:
            self._start = totals[:, -1:]
            self._product, self._sum = np.ones_like(self._start), np.zeros_like(self._start)
        mean: Floats = totals.cumsum(axis=0)[-1] / len(bets)
        return mean

    def state(self) -> State:
        """Return the sums, as of the block's start, and what the block adds to them."""
        return {
            "start": self._start.copy(),
            "product": self._product.copy(),
            "sum": self._sum.copy(),
            "n": self._n,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, shape = StateReader(state, "Evidence"), self._start.shape
        start, added = reader.floats("start", shape), reader.floats("sum", shape)
        product, n = reader.floats("product", shape), reader.integer("n")
        if not np.isfinite(start + added + product).all() or (product <= 0.0).any():
            raise StateError("the state of Evidence holds sums that no bets have")
        self._start, self._product, self._sum, self._n = start, product, added, n
