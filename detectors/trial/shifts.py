"""Shifts of the mean that are injected into traffic, and how soon they are found."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from detectors.trial.candidates import Candidate
from detectors.trial.traffic import Traffic
from detectors.values import Floats, Ints
from detectors.watch.keyed import Key

_MOST_KEYS = 8
_MOST_ROWS = 10_000  # of one key
_CHUNK = 100  # rows judged before it is asked whether there was an alarm
_MAD = 1.4826  # of a normal distribution, to its standard deviation
_MEAN_DEVIATION = 1.2533


class Place(NamedTuple):
    """Where a shift begins: a key, a row among the key's own, a column, and up (1) or down."""

    key: Key
    row: int
    column: int
    sign: float


def places(traffic: Traffic, count: int, horizon: int, seed: int) -> list[Place]:
    """Draw ``count`` places in the second half of the busiest keys' rows, ``horizon`` from the end.

    Keys with fewer than four times ``horizon`` rows have none, nor do columns that never vary.
    By ascending row within a key, the keys in the order of their first place.
    """
    rng = np.random.default_rng(seed)
    busy = [key for key in traffic.busiest(_MOST_KEYS) if _length(traffic, key) >= 4 * horizon]
    drawn: list[Place] = []
    for number in range(count if busy else 0):
        key = busy[number % len(busy)]
        x = traffic.x[_rows(traffic, key)]
        moving = [column for column in range(x.shape[1]) if unit(x[:, column]) > 0.0]
        if moving:
            row = int(rng.integers(len(x) // 2, len(x) - horizon + 1))
            drawn.append(Place(key, row, int(rng.choice(moving)), float(rng.choice((-1.0, 1.0)))))
    order = {key: at for at, key in enumerate(busy)}
    return sorted(drawn, key=lambda place: (order[place.key], place.row, place.column))


def _length(traffic: Traffic, key: Key) -> int:
    return min(_MOST_ROWS, traffic.keys.count(key))


def _rows(traffic: Traffic, key: Key) -> Ints:
    return traffic.rows_of(key)[-_MOST_ROWS:]


def unit(values: Floats) -> float:
    """The robust standard deviation of ``values`` (float64 [n], NaN left out); 0.0 for none.

    1.4826 MAD, or over 1.2533 times the mean deviation where that is 0.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0
    distance = np.abs(known - np.median(known))
    return float(_MAD * np.median(distance) or _MEAN_DEVIATION * distance.mean())


def delays(
    candidate: Candidate,
    traffic: Traffic,
    where: Sequence[Place],
    sizes: Sequence[float],
    horizon: int,
) -> Iterator[list[int | None]]:
    """Yield, for each place, the delay of a shift of each of ``sizes``; None: not found.

    Up to a place the candidate sees the traffic as it was, and from there on, for ``horizon``
    rows, the shifted one; each size begins with the state that it had at the place.
    """
    for key, group in groupby(where, lambda place: place.key):
        watch, rows, at = candidate.make(), _rows(traffic, key), 0
        x, at_s = traffic.x[rows], traffic.at_s[rows]
        for place in group:
            past = slice(max(at, place.row - candidate.most), place.row)
            watch.observe(traffic.names, x[past], at_s[past])
            at, state = place.row, watch.state()
            after = slice(place.row, place.row + horizon)
            found: list[int | None] = []
            for size in sizes:
                shifted = x[after].copy()
                shifted[:, place.column] += size * place.sign * unit(x[: place.row, place.column])
                fresh = candidate.make()
                fresh.restore(state)
                found.append(_delay(fresh, traffic.names, shifted, at_s[after], place.column))
            yield found


def _delay(watch: Any, names: tuple[str, ...], x: Floats, at_s: Floats, column: int) -> int | None:
    """The first alarm among rows, counted from 1; a drift in another field is none."""
    for begin in range(0, len(x), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        for alarm in watch.observe(names, x[part], at_s[part]):
            if getattr(alarm, "field", names[column]) == names[column]:
                return begin + int(alarm.row) + 1
    return None
