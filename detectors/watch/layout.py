"""Columns that keep their place: the fields a watch has met, in the order it met them."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from detectors.values import Floats


class Segment(NamedTuple):
    """Rows in which no field appears for the first time but in the first row.

    ``start``: the index of the first row in the call. ``new``: the fields that appear there,
    sorted. ``x``: float64 [rows, fields met so far].
    """

    start: int
    new: tuple[str, ...]
    x: Floats


class Layout:
    """Gives every field its column at the first row that has a number for it.

    So the matrix behind a watch depends on the rows alone, and not on the columns that a call
    happens to come with.
    """

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.names = names

    def segments(self, names: tuple[str, ...], x: Floats) -> Iterator[Segment]:
        """Cut ``x`` (float64 [rows, names]) where fields appear, in order."""
        if names == self.names:
            yield Segment(0, (), x)
            return
        first_rows = self._first_rows(names, x)
        cuts = sorted({0, *first_rows.values(), len(x)})
        for start, end in pairwise(cuts):
            new = tuple(sorted(name for name, row in first_rows.items() if row == start))
            self.names += new
            yield Segment(start, new, self._placed(names, x[start:end]))

    def _first_rows(self, names: tuple[str, ...], x: Floats) -> dict[str, int]:
        known = set(self.names)
        fresh = [i for i, name in enumerate(names) if name not in known]
        if not fresh:
            return {}
        present = ~np.isnan(x[:, fresh])
        appears = np.flatnonzero(present.any(axis=0))
        return {names[fresh[i]]: int(present[:, i].argmax()) for i in appears}

    def _placed(self, names: tuple[str, ...], x: Floats) -> Floats:
        if names == self.names:
            return x
        column = {name: index for index, name in enumerate(names)}
        placed = np.full((len(x), len(self.names)), np.nan)
        both = [(i, column[name]) for i, name in enumerate(self.names) if name in column]
        placed[:, [i for i, _ in both]] = x[:, [j for _, j in both]]
        return placed
