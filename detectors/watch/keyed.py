"""A watch for each key, such as a sensor: what is usual for one is not for another."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, cast

import numpy as np

from detectors.anomaly.spans import spans
from detectors.state import State, StateError, StateValue
from detectors.state_reader import StateReader
from detectors.values import Floats
from detectors.watch.verdicts import TimedWatch, V, Watch

Key = str | None
"""Whose rows belong together; None is a key like any other, for rows without one."""

MOST_BYTES = 36 * 2**20
"""What the states of a worker's keys may take together: of the 64 MiB of a checkpoint.

Between two measurements a state grows by a quarter, and as many as a thousand keys may be new
and not measured yet; incidents and the like need room, too.
"""

_REVIEW = 2048  # rows between two reviews of the sizes
_GROWN, _MORE = 1.25, 64  # times the rows, and rows more, at which a state is measured anew


@dataclass(slots=True)
class _Kept(Generic[V]):
    """A key's watch, the rows it has seen, and its size when it had seen ``n_measured``."""

    watch: Watch[V]
    n_rows: int = 0
    n_measured: int = 0
    n_bytes: int = 0

    def measure(self) -> int:
        """Return the size of the state in bytes, measured when there are a quarter more rows."""
        due = max(_GROWN * self.n_measured, self.n_measured + _MORE)
        if self.n_measured == 0 or self.n_rows >= due:
            self.n_measured, self.n_bytes = self.n_rows, size_of(self.watch.state())
        return self.n_bytes


class KeyedWatch(Generic[V]):
    """Gives every key its own watch, for at most ``max_keys`` keys and ``max_bytes`` at a time.

    ``make`` returns a new watch. When a further key comes, the key whose last row lies furthest
    back is forgotten, with all that was learnt about it, and counted in ``n_evicted``; should
    it come back, it starts anew. The same happens after every 2048 rows of all keys, as long as
    their states take more than ``max_bytes`` together, about as :func:`detectors.state.pack`
    writes them; one key stays in any case. A state is measured at such a review when its key
    has seen a quarter more rows than at the last time, and at least 64. Which key is forgotten
    depends on the order of the rows alone, also within a call, so verdicts do not depend on how
    rows are split into calls.
    """

    def __init__(
        self, make: Callable[[], Watch[V]], max_keys: int = 1000, max_bytes: int = MOST_BYTES
    ) -> None:
        self._make: Callable[[], Watch[V]] = make
        self._max_keys, self.max_bytes = max_keys, max_bytes
        self._kept: OrderedDict[Key, _Kept[V]] = OrderedDict()  # the latest key last
        self._n_rows = 0
        self.n_evicted = 0

    @property
    def n_keys(self) -> int:
        """The number of keys remembered."""
        return len(self._kept)

    @property
    def watches(self) -> Iterable[Watch[V]]:
        """The watches of the keys remembered."""
        return [each.watch for each in self._kept.values()]

    @property
    def evicted(self) -> int:
        """The number of keys forgotten so far to make room for others."""
        return self.n_evicted

    def observe(
        self,
        keys: Sequence[Key],
        names: tuple[str, ...],
        x: Floats,
        at_s: Floats | None = None,
    ) -> list[V]:
        """Judge and learn ``x`` (float64 [rows, names]); ``keys`` has one key for each row.

        ``at_s`` (float64 [rows]) are times in seconds, for watches that take them. Returns the
        verdicts by ascending row, their rows counted in this call.
        """
        found: list[V] = []
        for part in spans(self._n_rows, len(keys), _REVIEW):
            times = None if at_s is None else at_s[part]
            verdicts = self._observe(keys[part], names, x[part], times)
            found += [replace(each, row=each.row + part.start) for each in verdicts]
            self._n_rows += part.stop - part.start
            if self._n_rows % _REVIEW == 0:
                self._make_room()
        return found

    def state(self) -> State:
        """Return the state of every key's watch, the latest key last, and the sizes."""
        kept = self._kept.values()
        sizes = [(each.n_rows, each.n_measured, each.n_bytes) for each in kept]
        return {
            "keys": list(self._kept),
            "watches": [each.watch.state() for each in kept],
            "sizes": np.array(sizes, dtype=np.int64).reshape(len(kept), 3),
            "n_rows": self._n_rows,
            "n_evicted": self.n_evicted,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "KeyedWatch")
        n_rows, n_evicted = reader.integer("n_rows"), reader.integer("n_evicted")
        states = reader.states("watches")
        keys = reader.keys("keys", len(states))
        sizes = reader.array("sizes", np.int64, (len(keys), 3))
        if len(keys) > self._max_keys:
            raise StateError(
                f"the state remembers {len(keys)} keys, but max_keys is {self._max_keys}; "
                "raise it, or start anew"
            )
        if (sizes < 0).any():
            raise StateError("the state of KeyedWatch has sizes below 0")
        kept: OrderedDict[Key, _Kept[V]] = OrderedDict()
        for key, inner, size in zip(keys, states, sizes.tolist(), strict=True):
            kept[key] = _Kept(self._make(), *size)
            kept[key].watch.restore(inner)
        self._kept, self._n_rows, self.n_evicted = kept, n_rows, n_evicted

    def _observe(
        self, keys: Sequence[Key], names: tuple[str, ...], x: Floats, at_s: Floats | None
    ) -> list[V]:
        found: list[V] = []
        for kept, rows in self._assigned(keys):
            together = len(rows) == len(keys)
            part = x if together else x[rows]
            kept.n_rows += len(rows)
            if at_s is None:
                verdicts = kept.watch.observe(names, part)
            else:
                times = at_s if together else at_s[np.array(rows)]
                verdicts = cast(TimedWatch[V], kept.watch).observe(names, part, times)
            found += [replace(verdict, row=rows[verdict.row]) for verdict in verdicts]
        return sorted(found, key=lambda verdict: verdict.row)

    def _assigned(self, keys: Sequence[Key]) -> Sequence[tuple[_Kept[V], Sequence[int]]]:
        """Return the watches for these rows; a key evicted and back has two, one after another.

        Watches know nothing of each other, so the rows of each can be judged together.
        """
        if keys and keys.count(keys[0]) == len(keys):
            self._touch(keys[0])
            self._kept.move_to_end(keys[0])
            return [(self._kept[keys[0]], range(len(keys)))]
        assigned: list[tuple[_Kept[V], list[int]]] = []
        current: dict[Key, list[int]] = {}
        for row, key in enumerate(keys):
            if key not in current:
                if forgotten := self._touch(key):
                    current.pop(forgotten[0], None)
                current[key] = []
                assigned.append((self._kept[key], current[key]))
            current[key].append(row)
            self._kept.move_to_end(key)
        return assigned

    def _touch(self, key: Key) -> tuple[Key] | None:
        """Make sure that ``key`` has a watch; return the key forgotten for it, if any."""
        if key in self._kept:
            return None
        self._kept[key] = _Kept(self._make())
        return (self._forget(),) if len(self._kept) > self._max_keys else None

    def _make_room(self) -> None:
        """Measure the states that have grown; forget keys until the others have room."""
        n_bytes = sum(each.measure() for each in self._kept.values())
        while n_bytes > self.max_bytes and len(self._kept) > 1:
            n_bytes -= next(iter(self._kept.values())).n_bytes
            self._forget()

    def _forget(self) -> Key:
        self.n_evicted += 1
        return self._kept.popitem(last=False)[0]


def size_of(value: StateValue) -> int:
    """Return about how many bytes ``value`` takes in a packed state.

    >>> size_of({"low": np.zeros(1000)})
    8056
    """
    match value:
        case np.ndarray():
            return int(value.nbytes) + 40
        case Mapping():
            return 8 + sum(len(name) + 5 + size_of(each) for name, each in value.items())
        case str() | bytes():
            return len(value) + 2
        case Sequence():
            return 10 + sum(1 + size_of(each) for each in value)
    return 20
