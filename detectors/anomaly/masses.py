"""How many rows fell into each cell of a forest: the counts behind half-space trees."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from detectors.anomaly.forest import Forest
from detectors.values import AnyArray, Floats, Ints

_SIZE_LIMIT = 0.1  # of the window: a node lighter than this ends a walk (the paper's constant)
_SHORT = 2**15 - 1


class Masses:
    """The counts of the current window, and the scores that follow from the last full one.

    A leaf is known by ``tree * leaves + position``. Scores are sums of integers below 2**53
    and therefore exact in any order of summation.
    """

    def __init__(self, forest: Forest, window: int) -> None:
        self.forest = forest
        self._window = window
        self._size_limit = _SIZE_LIMIT * window
        self._nodes = forest.inner + forest.leaves
        # One memory under two views: whole levels through NumPy, single nodes through array,
        # whose items are several times cheaper to reach.
        self._single = array("i", bytes(4 * forest.n_trees * self._nodes))
        self._latest = np.frombuffer(self._single, dtype=np.int32).reshape(forest.n_trees, -1)
        self._stale = False  # whether counts above the leaves lag behind
        self._climbing = False  # whether somebody asked for them since the last pivot
        self._set_reference(np.zeros((forest.n_trees, forest.leaves), dtype=np.int32))

    @property
    def dtype(self) -> type[np.generic]:
        """The smallest type that holds the counts of a window."""
        return np.int16 if self._window <= _SHORT else np.int32

    def leaves(self, values: Floats) -> Ints:
        """Return the leaves that complete rows fall into: int64 [rows, trees]."""
        forest = self.forest
        row_at = (np.arange(len(values)) * values.shape[1])[:, None]
        tree_at = np.arange(forest.n_trees) * forest.inner
        node = np.zeros((len(values), forest.n_trees), dtype=np.int64)
        flat = np.ascontiguousarray(values).ravel()
        for _ in range(forest.height):
            at = node + tree_at
            value = flat.take(forest.feature.take(at) + row_at)
            node += node + 2
            node -= value < forest.threshold.take(at)
        node += np.arange(forest.n_trees) * forest.leaves - forest.inner
        return node

    def weights(self, leaves: Ints) -> Floats:
        """Return the summed reference mass met on the way to ``leaves``: float64 [rows]."""
        total: Floats = self._weight.take(leaves).sum(axis=-1)
        return total

    def add(self, leaves: Ints) -> None:
        """Count rows into their leaves (int64 [rows, trees])."""
        shape = (self.forest.n_trees, self.forest.leaves)
        counts = np.bincount(leaves.ravel(), minlength=shape[0] * shape[1])
        self._latest[:, self.forest.inner :] += counts.reshape(shape).astype(np.int32)
        self._stale = True

    def weight(self, leaves: Sequence[int]) -> float:
        """Return what :meth:`weights` does, for the leaves of one row."""
        return sum(map(self._weight.item, leaves))

    def fall(self, row: Sequence[float]) -> list[int]:
        """Return the leaves that a complete row falls into, as :meth:`leaves` does."""
        found = []
        downward = range(self.forest.height)
        for root in self.forest.forks:
            fork: Any = root
            for _ in downward:
                column, threshold, left, right = fork
                fork = left if row[column] < threshold else right
            found.append(fork)
        return found

    def count(self, leaves: Sequence[int]) -> None:
        """Count one row; the nodes above are left for later unless they are in use."""
        if self._climbing:
            self.climb(leaves)
            return
        inner, single = self.forest.inner, self._single
        before = inner
        for leaf in leaves:
            single[leaf + before] += 1
            before += inner
        self._stale = True

    def climb(self, leaves: Sequence[int]) -> None:
        """Count one row into its leaves and every node above them."""
        single, inner = self._single, self.forest.inner
        for tree, leaf in enumerate(leaves):
            base = tree * self._nodes
            node = leaf - tree * self.forest.leaves + inner + 1
            while node:  # heap order counted from 1, where halving leads to the parent
                single[base + node - 1] += 1
                node >>= 1

    def walk(self, row: Sequence[float | None]) -> list[int]:
        """Return the leaves of one row, in which None is a missing field.

        A missing field leads to the child that took more rows of the current window, the left
        one in a tie.
        """
        self._climbing = True
        if self._stale:
            self._settle()
        forest, single = self.forest, self._single
        features, thresholds = forest.feature_list, forest.threshold_list
        found = []
        for tree in range(forest.n_trees):
            split, base, node = tree * forest.inner, tree * self._nodes, 0
            for _ in range(forest.height):
                value = row[features[split + node]]
                left = base + 2 * node + 1
                if value is None:
                    right = single[left] < single[left + 1]
                else:
                    right = not value < thresholds[split + node]
                node = 2 * node + 1 + right
            found.append(node - forest.inner + tree * forest.leaves)
        return found

    def pivot(self) -> None:
        """End the window: its counts become the reference, and counting starts at zero."""
        self._set_reference(self._latest[:, self.forest.inner :].copy())
        self._latest[:] = 0
        self._stale = self._climbing = False

    def counts(self) -> AnyArray:
        """Return [2, trees, leaves] of ``dtype``: the current window's counts, the reference's."""
        both = np.stack((self._latest[:, self.forest.inner :], self._reference))
        return both.astype(self.dtype)

    def set_counts(self, counts: AnyArray) -> None:
        """Continue from what :meth:`counts` returned."""
        self._latest[:, self.forest.inner :] = counts[0]
        self._settle()
        self._set_reference(counts[1].astype(np.int32))

    def _settle(self) -> None:
        for depth, level in enumerate(_levels(self._latest[:, self.forest.inner :])):
            self._latest[:, (1 << depth) - 1 : (2 << depth) - 1] = level
        self._stale = False

    def _set_reference(self, leaves: AnyArray) -> None:
        """Sum mass * 2**depth from the root to each leaf, ending at the first light node."""
        self._reference = leaves
        levels = _levels(leaves)
        weight = levels[0].astype(np.float64)
        ended = levels[0] < self._size_limit
        for depth, level in enumerate(levels[1:], start=1):
            weight, ended = weight.repeat(2, axis=1), ended.repeat(2, axis=1)
            weight += np.where(ended, 0.0, level * float(1 << depth))
            ended |= level < self._size_limit
        self._weight = weight.ravel()


def _levels(leaves: AnyArray) -> list[AnyArray]:
    """Return the counts level by level, the root's first: [trees, 1], [trees, 2], ..."""
    levels = [leaves]
    while levels[-1].shape[1] > 1:
        levels.append(levels[-1][:, 0::2] + levels[-1][:, 1::2])
    return levels[::-1]
