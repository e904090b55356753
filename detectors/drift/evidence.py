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
        """Take in ``bets`` (float64 [n_bets, n], > 0); returns what all own after each value.

        ``weights`` (float64 [n] or one for all, >= 0) are the coins that a gambler starts with.
        Once that exceeds ``limit``, values after the present block are neither taken in nor
        returned: they could grow beyond float64.
        """
        owned = np.empty(bets.shape[1])
        begin = 0
        while begin < len(owned):
            part = slice(begin, min(begin + BLOCK - self._n % BLOCK, len(owned)))
            coins = weights[part] if isinstance(weights, np.ndarray) else weights
            owned[part] = _added(self._push_part(bets[:, part], coins))
            begin = part.stop
            if owned[part].max() > limit:
                break
        return owned[:begin]

    def _push_part(self, bets: Floats, weights: Floats | float) -> Floats:
        """Take in bets up to a block's end at most; return their sums: float64 [n_bets, n]."""
        totals = self._push(bets, weights) if bets.shape[1] > 1 else self._push_one(bets, weights)
        self._n += bets.shape[1]
        if self._n % BLOCK == 0:
            self._begin_block(totals[:, -1].copy())
        return totals

    def _begin_block(self, start: Floats) -> None:
        self._start = start
        self._product, self._sum = np.ones(len(start)), np.zeros(len(start))

    def _push(self, bets: Floats, weights: Floats | float) -> Floats:
        shape = (len(bets), bets.shape[1] + 1)
        products, sums = np.empty(shape), np.empty(shape)
        products[:, 0], products[:, 1:] = self._product, bets
        np.multiply.accumulate(products, axis=1, out=products)
        sums[:, 0] = self._sum
        np.divide(self._stakes[:, None] * weights, products[:, :-1], out=sums[:, 1:])
        np.add.accumulate(sums, axis=1, out=sums)
        self._product, self._sum = products[:, -1].copy(), sums[:, -1].copy()
        totals: Floats = (sums[:, 1:] + self._start[:, None]) * products[:, 1:]
        return totals

    def _push_one(self, bets: Floats, weights: Floats | float) -> Floats:
        self._sum = self._sum + self._stakes * weights / self._product
        self._product = self._product * bets[:, 0]
        totals: Floats = (self._sum + self._start) * self._product
        return totals[:, None]

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

    ``pays`` (float64 [n_bets, n_cells]) is what each bet pays in each cell, ``cells`` (int64
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
        each._start = found.starts[-2][:, index].copy()
        each._product = found.product[-1][:, index].copy()
        each._sum = found.added[-1][:, index].copy()
        if each._n % BLOCK == 0:
            each._begin_block(found.starts[-1][:, index].copy())
    return True


class _Found(NamedTuple):
    """What all own after each value, float64 [BLOCK, columns]; and block by block, each float64
    [n_bets, several], the products and sums at its end, and what they own at its start.

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
    coins = columns.spread(np.broadcast_to(weights, cells.shape), 0.0)
    table = np.concatenate((pays.T, np.ones((1, len(pays)))))  # outside the values bets pay 1
    where = columns.spread(cells, pays.shape[1])
    with _room(3, BLOCK + 1, len(pays), columns.n) as (products, sums, spare):
        bets = spare[1:].reshape(BLOCK, columns.n, len(pays))
        products[1:] = table.take(where, axis=0, out=bets, mode="clip").transpose(0, 2, 1)
        products[0] = columns.first([each._product for each in several], 1.0)
        np.multiply(several[0]._stakes[:, None], coins[:, None], out=sums[1:])
        sums[0] = columns.first([each._sum for each in several], 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            _run(products, sums)
            product, added = columns.blocks(products[-1]), columns.blocks(sums[-1])
            starts = _starts([each._start for each in several], product, added)
            np.add(sums, np.concatenate(starts[:-1], axis=1), out=sums)
            np.multiply(sums, products, out=sums)
            return _Found(_added(sums[1:]), product, added, starts)


class _Columns(NamedTuple):
    """The blocks of several in columns side by side: a row for each place in a block.

    A running product takes its time from each waiting for the one before. Blocks begin anew, so
    those of all blocks, and of several, can go on together.
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

    def spread(self, values: NDArray[N], outside: float) -> NDArray[N]:
        """Return [several, n] as [BLOCK, columns], with something else where no values are."""
        found = np.full((self.n_several, self.n_blocks * BLOCK), outside, dtype=values.dtype)
        found[:, self.offset : self.offset + self.n_values] = values
        return found.reshape(self.n_several, self.n_blocks, BLOCK).T.reshape(BLOCK, -1)

    def first(self, owned: Sequence[Floats], later: float) -> Floats:
        """Return float64 [n_bets, columns]: those of the several in the first block."""
        found = np.full((len(owned[0]), self.n), later)
        found[:, : self.n_several] = np.array(owned).T
        return found

    def blocks(self, row: Floats) -> list[Floats]:
        """Return copies of float64 [n_bets, columns], block by block."""
        return [part.copy() for part in np.split(row, self.n_blocks, axis=1)]


def _run(products: Floats, sums: Floats) -> None:
    """Make running products of bets, and running sums of coins over the products before them."""
    last = products[0]
    for row in products[1:]:
        last = np.multiply(last, row, row)
    np.divide(sums[1:], products[:-1], out=sums[1:])
    last = sums[0]
    for row in sums[1:]:
        last = np.add(last, row, row)


def _starts(
    first: Sequence[Floats], product: Sequence[Floats], added: Sequence[Floats]
) -> list[Floats]:
    """Return what all own when each block begins, and when the next one would."""
    starts: list[Floats] = [np.array(first).T]
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


def _added(totals: Floats) -> Floats:
    """Return the sums over bets of float64 [..., n_bets, n]."""
    # One column would be summed pairwise, in another order than several.
    if totals.shape[-1] == 1:
        last: Floats = totals.cumsum(axis=-2)[..., -1, :]
        return last
    added: Floats = np.add.reduce(totals, axis=-2)
    return added
