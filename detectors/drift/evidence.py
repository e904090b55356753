"""Shiryaev-Roberts e-detectors, many bets side by side, for many values at once.

A bet is a function of a value whose expectation without a change is 1, whatever came before.
Its Shiryaev-Roberts sum is M_t = (M_{t-1} + w_t) * b_t: what all the gamblers own together of
whom one starts at every value, with w_t coins, and stakes everything on every bet. Without a
change E[M_t] = w_1 + ... + w_t as long as w_t does not depend on the values from t on. Gamblers
may divide their coins among several bets, in parts that are fixed beforehand. What they own then
exceeds c by the time t with probability (w_1 + ... + w_t) / c at most; after a change it grows at
the rate of the best bet. With one coin each and c a run length, that bounds false alarms per
value; with coins for the time that passed and c = 1, false alarms per second.

Reference: Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential
change detection", New England Journal of Statistics in Data Science 2 (2024).
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats, Ints

BLOCK = 128
"""Values between two renormalisations; products of that many bets, between 0.01 and 30, stay
within float64."""


N = TypeVar("N", np.float64, np.int64)


class Evidence:
    """The Shiryaev-Roberts sums of bets; ``stakes`` (float64 [n_bets], of sum 1) divide the coins.

    Within a block M_t = P_t * (M_0 + sum of w_s / P_{s-1} over s <= t), P being the running
    product of the bets: two cumulative operations instead of a loop. They add up strictly from
    left to right, and blocks begin at fixed counts, so any split gives the same bits.
    """

    def __init__(self, stakes: Floats) -> None:
        self._stakes = stakes
        self._start = np.zeros(len(stakes))
        self._product = np.ones(len(stakes))
        self._sum = np.zeros(len(stakes))
        self._n = 0

    @property
    def n(self) -> int:
        """The values taken in so far."""
        return self._n

    def push(self, bets: Floats, weights: Floats | float = 1.0, limit: float = math.inf) -> Floats:
        """Take in ``bets`` (float64 [n, n_bets], > 0); returns what all own after each value.

        ``weights`` (float64 [n] or one for all, >= 0) are the coins that a gambler starts with.
        Once that exceeds ``limit``, values after the present block are neither taken in nor
        returned: they could grow beyond float64.
        """
        owned = np.empty(len(bets))
        begin = 0
        while begin < len(owned):
            part = slice(begin, min(begin + BLOCK - self._n % BLOCK, len(owned)))
            coins = weights[part, None] if isinstance(weights, np.ndarray) else weights
            owned[part] = self._push_part(bets[part], coins)
            begin = part.stop
            if owned[part].max() > limit:
                break
        return owned[:begin]

    def _push_part(self, bets: Floats, weights: Floats | float) -> Floats:
        """Take in bets up to a block's end at most; return what all own: float64 [n]."""
        coins, products = (self._push if len(bets) > 1 else self._push_one)(bets, weights)
        self._n += len(bets)
        if self._n % BLOCK == 0:
            self._begin_block(coins[-1] * products[-1])
        return _owned(coins, products)

    def _begin_block(self, start: Floats) -> None:
        self._start = start
        self._product, self._sum = np.ones(len(start)), np.zeros(len(start))

    def _push(self, bets: Floats, weights: Floats | float) -> tuple[Floats, Floats]:
        """Return M_0 + the sum of w_s / P_{s-1}, and P_t, each float64 [n, n_bets]."""
        shape = (len(bets) + 1, bets.shape[1])
        products, sums = np.empty(shape), np.empty(shape)
        products[0], products[1:] = self._product, bets
        np.multiply.accumulate(products, axis=0, out=products)
        sums[0] = self._sum
        np.divide(self._stakes * weights, products[:-1], out=sums[1:])
        np.add.accumulate(sums, axis=0, out=sums)
        self._product, self._sum = products[-1].copy(), sums[-1].copy()
        return sums[1:] + self._start, products[1:]

    def _push_one(self, bets: Floats, weights: Floats | float) -> tuple[Floats, Floats]:
        self._sum = self._sum + (self._stakes * weights / self._product).reshape(-1)
        self._product = self._product * bets[0]
        return (self._sum + self._start)[None], self._product[None]

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


def push_all(
    several: Sequence[Evidence], pays: Floats, cells: Ints, weights: Floats | float, limits: Floats
) -> bool:
    """Take in bets for several that stand at the same count, unless any would exceed its limit.

    ``pays`` (float64 [n_cells, n_bets]) is what each bet pays in each cell, ``cells`` (int64
    [several, n]) where the values lie. ``weights`` (float64 [several, n], or one for all) and
    ``limits`` (float64 [several]) are as for :meth:`Evidence.push`. Returns whether they were
    taken in. The sums are those of each on its own, to the last bit.
    """
    columns = _Columns(len(several), several[0]._n % BLOCK, cells.shape[1])
    found = _side_by_side(several, pays, cells, weights, columns)
    if not (found.owned <= np.tile(limits, columns.n_blocks)).all():
        return False
    for index, each in enumerate(several):
        each._n += columns.n_values
        each._start = found.starts[-2][index].copy()
        each._product = found.product[-1][index].copy()
        each._sum = found.added[-1][index].copy()
        if each._n % BLOCK == 0:
            each._begin_block(found.starts[-1][index].copy())
    return True


class _Found(NamedTuple):
    """What all own after each value, float64 [rows, columns]; and block by block, each float64
    [several, n_bets], the products and sums at its end, and what they own at its start.

    ``starts`` has one more: that of the block behind the last.
    """

    owned: Floats
    product: list[Floats]
    added: list[Floats]
    starts: list[Floats]


def _side_by_side(
    several: Sequence[Evidence],
    pays: Floats,
    cells: Ints,
    weights: Floats | float,
    columns: "_Columns",
) -> _Found:
    table = np.concatenate((pays, np.ones((1, pays.shape[1]))))  # outside the values bets pay 1
    where, stakes = columns.spread(cells, len(pays)), several[0]._stakes
    with _room(2, columns.n_rows + 1, columns.n, pays.shape[1]) as (products, sums):
        table.take(where, axis=0, out=products[1:], mode="clip")
        products[0] = columns.first([each._product for each in several], 1.0)
        sums[0] = columns.first([each._sum for each in several], 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            _multiply(products)
            if isinstance(weights, np.ndarray):
                np.multiply(columns.spread(weights, 0.0)[:, :, None], stakes, out=sums[1:])
                np.divide(sums[1:], products[:-1], out=sums[1:])
            else:
                np.divide(weights * stakes, products[:-1], out=sums[1:])
                columns.clear(sums[1:])
            _add(sums)
            product, added = columns.blocks(products[-1]), columns.blocks(sums[-1])
            starts = _starts([each._start for each in several], product, added)
            np.add(sums, np.concatenate(starts[:-1]), out=sums)
            return _Found(_owned(sums[1:], products[1:]), product, added, starts)


class _Columns(NamedTuple):
    """The blocks of several in columns side by side: a row for each place in a block.

    A running product takes its time from each waiting for the one before. Blocks begin anew, so
    those of all blocks, and of several, can go on together. Values within one block have no
    other rows than their own.
    """

    n_several: int
    offset: int
    n_values: int

    @property
    def n_blocks(self) -> int:
        """The blocks that values fall into, each as many columns as there are of the several."""
        return -(-(self.offset + self.n_values) // BLOCK)

    @property
    def n(self) -> int:
        """The number of columns."""
        return self.n_blocks * self.n_several

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return BLOCK if self.n_blocks > 1 else self.n_values

    def spread(self, values: NDArray[N], outside: float) -> NDArray[N]:
        """Return [several, n] as [rows, columns], with something else where no values are."""
        if self.n_blocks == 1:
            return values.T
        found = np.full((self.n_several, self.n_blocks * BLOCK), outside, dtype=values.dtype)
        found[:, self.offset : self.offset + self.n_values] = values
        return found.reshape(self.n_several, self.n_blocks, BLOCK).T.reshape(BLOCK, -1)

    def clear(self, rows: Floats) -> None:
        """Set float64 [rows, columns, n_bets] to 0 where no values are."""
        if self.n_blocks > 1:
            rows[: self.offset, : self.n_several] = 0.0
            rows[(self.offset + self.n_values - 1) % BLOCK + 1 :, -self.n_several :] = 0.0

    def first(self, owned: Sequence[Floats], later: float) -> Floats:
        """Return float64 [columns, n_bets]: those of the several in the first block."""
        found = np.full((self.n, len(owned[0])), later)
        found[: self.n_several] = owned
        return found

    def blocks(self, row: Floats) -> list[Floats]:
        """Return copies of float64 [columns, n_bets], block by block."""
        return list(row.reshape(self.n_blocks, self.n_several, -1).copy())


def _multiply(rows: Floats) -> None:
    """Make running products."""
    last = rows[0]
    for row in rows[1:]:
        last = np.multiply(last, row, row)


def _add(rows: Floats) -> None:
    """Make running sums."""
    last = rows[0]
    for row in rows[1:]:
        last = np.add(last, row, row)


def _owned(coins: Floats, products: Floats) -> Floats:
    """Return what all own: float64 [...] of [..., n_bets], added up in one order for all."""
    owned: Floats = np.einsum("...b,...b->...", coins, products)
    return owned


def _starts(
    first: Sequence[Floats], product: Sequence[Floats], added: Sequence[Floats]
) -> list[Floats]:
    """Return what all own when each block begins, and when the next one would."""
    starts = [np.array(first)]
    for factor, more in zip(product, added, strict=True):
        starts.append((more + starts[-1]) * factor)
    return starts


_rooms: list[Floats] = []


@contextmanager
def _room(*shape: int) -> Iterator[Floats]:
    """Lend memory that is kept for the next: fresh pages take longer than what is done in them.

    One is kept for all threads; who comes while it is lent gets another.
    """
    try:
        room = _rooms.pop()
    except IndexError:
        room = np.empty(0)
    if room.size < math.prod(shape):
        room = np.empty(math.prod(shape))
    yield room[: math.prod(shape)].reshape(shape)
    _rooms[:] = [room]
