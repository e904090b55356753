"""Shiryaev-Roberts e-detectors, many bets side by side, for many values at once.

A bet is a function of a value whose expectation without a change is 1, whatever came before.
Its Shiryaev-Roberts sum is M_t = (M_{t-1} + w_t) * b_t: what all the gamblers own together of
whom one starts at every value, with w_t coins, and stakes everything on every bet. Without a
change E[M_t] = w_1 + ... + w_t as long as w_t does not depend on the values from t on, so the
mean over several bets exceeds c by then with probability (w_1 + ... + w_t) / c at most; after a
change it grows at the rate of the best bet. With one coin each and c a run length, that bounds
false alarms per value; with coins for the time that passed and c = 1, false alarms per second.

Reference: Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential
change detection", New England Journal of Statistics in Data Science 2 (2024).
"""

import math

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats

BLOCK = 128
"""Values between two renormalisations; products of that many bets, between 0.01 and 30, stay
within float64."""


class Evidence:
    """The Shiryaev-Roberts sums of ``n_bets`` bets.

    Within a block M_t = P_t * (M_0 + sum of w_s / P_{s-1} over s <= t), P being the running
    product of the bets: two cumulative operations instead of a loop. They add up strictly from
    left to right, and blocks begin at fixed counts, so any split gives the same bits.
    """

    def __init__(self, n_bets: int) -> None:
        self._start = np.zeros(n_bets)
        self._product = np.ones(n_bets)
        self._sum = np.zeros(n_bets)
        self._n = 0

    def push(self, bets: Floats, weights: Floats | float = 1.0, limit: float = math.inf) -> Floats:
        """Take in ``bets`` (float64 [n_bets, n], > 0); returns the mean sum after each value.

        ``weights`` (float64 [n] or one for all, >= 0) are the coins that a gambler starts with.
        Once a mean exceeds ``limit``, those after the present block are neither taken in nor
        returned: they could grow beyond float64.
        """
        means = np.empty(bets.shape[1])
        begin = 0
        while begin < len(means):
            part = slice(begin, min(begin + BLOCK - self._n % BLOCK, len(means)))
            own = weights[part] if isinstance(weights, np.ndarray) else weights
            means[part] = self._mean(self._push_part(bets[:, part], own))
            begin = part.stop
            if means[part].max() > limit:
                break
        return means[:begin]

    def _push_part(self, bets: Floats, weights: Floats | float) -> Floats:
        """Take in bets up to a block's end at most; return their sums: float64 [n_bets, n]."""
        totals = self._push(bets, weights) if bets.shape[1] > 1 else self._push_one(bets, weights)
        self._n += bets.shape[1]
        if self._n % BLOCK == 0:
            self._start = totals[:, -1].copy()
            self._product, self._sum = np.ones(len(bets)), np.zeros(len(bets))
        return totals

    def _push(self, bets: Floats, weights: Floats | float) -> Floats:
        shape = (len(bets), bets.shape[1] + 1)
        products, sums = np.empty(shape), np.empty(shape)
        products[:, 0], products[:, 1:] = self._product, bets
        np.multiply.accumulate(products, axis=1, out=products)
        sums[:, 0] = self._sum
        np.divide(weights, products[:, :-1], out=sums[:, 1:])
        np.add.accumulate(sums, axis=1, out=sums)
        self._product, self._sum = products[:, -1].copy(), sums[:, -1].copy()
        totals: Floats = (sums[:, 1:] + self._start[:, None]) * products[:, 1:]
        return totals

    def _push_one(self, bets: Floats, weights: Floats | float) -> Floats:
        self._sum = self._sum + weights / self._product
        self._product = self._product * bets[:, 0]
        totals: Floats = (self._sum + self._start) * self._product
        return totals[:, None]

    @staticmethod
    def _mean(totals: Floats) -> Floats:
        # One column would be summed pairwise, in another order than several.
        alone = totals.shape[1] == 1
        added = totals.cumsum(axis=0)[-1] if alone else np.add.reduce(totals, axis=0)
        mean: Floats = added / len(totals)
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
