"""The random splits of half-space trees: drawn once from a seed, shared by all who use them."""

import random
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np

from detectors.values import Floats, Ints

Fork: TypeAlias = "int | tuple[int, float, Fork, Fork]"
"""A leaf's number, or column, threshold, and what lies left and right of it."""

_PADDING = 0.15  # River's: keeps a split away from the borders of its cell


@dataclass(frozen=True, eq=False)
class Forest:
    """``n_trees`` complete binary trees, in heap order: the children of i are 2i+1 and 2i+2.

    ``feature``: int64 [trees * inner nodes], the column each node splits on.
    ``threshold``: float64 of the same shape; smaller values go left, all others right.
    ``feature_list`` and ``threshold_list`` are the same as lists, which a walk by single
    steps reads faster.
    """

    n_trees: int
    height: int
    feature: Ints
    threshold: Floats
    feature_list: list[int]
    threshold_list: list[float]

    @property
    def inner(self) -> int:
        """The number of inner nodes of a tree."""
        return (1 << self.height) - 1

    @property
    def leaves(self) -> int:
        """The number of leaves of a tree."""
        return 1 << self.height

    @cached_property
    def forks(self) -> list[Fork]:
        """The trees once more, as nested tuples: the fastest way down for a single row."""
        return [self._fork(tree, 0) for tree in range(self.n_trees)]

    def _fork(self, tree: int, node: int) -> Fork:
        if node >= self.inner:
            return node - self.inner + tree * self.leaves
        at = tree * self.inner + node
        children = (self._fork(tree, child) for child in (2 * node + 1, 2 * node + 2))
        return (self.feature_list[at], self.threshold_list[at], *children)  # type: ignore[return-value]


@lru_cache(maxsize=64)
def grow(columns: tuple[int, ...], n_trees: int, height: int, seed: int) -> Forest:
    """Draw the splits exactly as ``river.tree.padded.make_padded_tree`` does.

    ``columns`` are those to split on, in the order of their fields' names. The draws depend on
    nothing but the four arguments, so a state need not store them, and the
    detectors of a thousand keys share one forest.
    """
    rng = random.Random(seed)
    splits: list[tuple[int, float]] = []
    for _ in range(n_trees):
        splits += _Tree(len(columns), height, rng).splits
    features, thresholds = [columns[f] for f, _ in splits], [t for _, t in splits]
    return Forest(n_trees, height, np.array(features), np.array(thresholds), features, thresholds)


class _Tree:
    """One tree; nodes are drawn depth first, left before right, as River draws them."""

    def __init__(self, n_features: int, height: int, rng: random.Random) -> None:
        self.splits = [(0, 0.0)] * ((1 << height) - 1)
        self._limits = [(0.0, 1.0)] * n_features
        self._rng = rng
        self._split(0)

    def _split(self, node: int) -> None:
        if node >= len(self.splits):
            return
        limits = self._limits
        widths = [high - low for low, high in limits]
        feature = self._rng.choices(range(len(limits)), weights=widths)[0]
        low, high = limits[feature]
        margin = _PADDING * (high - low)
        at = self._rng.uniform(low + margin, high - margin)
        self.splits[node] = (feature, at)
        for child, half in ((2 * node + 1, (low, at)), (2 * node + 2, (at, high))):
            limits[feature] = half
            self._split(child)
        limits[feature] = (low, high)
