"""A watch for each key, such as a sensor: what is usual for one is not for another."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, cast

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats
from detectors.watch.verdicts import TimedWatch, V, Watch

Key = str | None
"""Whose rows belong together; None is a key like any other, for rows without one."""


class KeyedWatch(Generic[V]):
    """Gives every key its own watch, for at most ``max_keys`` keys at a time.

    ``make`` returns a new watch. When a further key comes, the key whose last row lies furthest
    back is forgotten, with all that was learnt about it, and counted in ``n_evicted``; should
    it come back, it starts anew. Which key that is depends on the order of the rows alone, also
    within a call, so verdicts do not depend on how rows are split into calls.
    """

    def __init__(self, make: Callable[[], Watch[V]], max_keys: int = 1000) -> None:
        self._make: Callable[[], Watch[V]] = make
        self._max_keys = max_keys
        self._watches: OrderedDict[Key, Watch[V]] = OrderedDict()  # the latest key last
        self.n_evicted = 0

    @property
    def n_keys(self) -> int:
        """The number of keys remembered."""
        return len(self._watches)

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
        for watch, rows in self._assigned(keys):
            together = len(rows) == len(keys)
            part = x if together else x[rows]
            if at_s is None:
                verdicts = watch.observe(names, part)
            else:
                times = at_s if together else at_s[np.array(rows)]
                verdicts = cast(TimedWatch[V], watch).observe(names, part, times)
            found += [replace(verdict, row=rows[verdict.row]) for verdict in verdicts]
        return sorted(found, key=lambda verdict: verdict.row)

    def state(self) -> State:
        """Return the state of every key's watch, the latest key last."""
        return {
            "keys": list(self._watches),
            "watches": [watch.state() for watch in self._watches.values()],
            "n_evicted": self.n_evicted,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "KeyedWatch")
        n_evicted, states = reader.integer("n_evicted"), reader.states("watches")
        keys = reader.keys("keys", len(states))
        if len(keys) > self._max_keys:
            raise StateError(
                f"the state remembers {len(keys)} keys, but max_keys is {self._max_keys}; "
                "raise it, or start anew"
            )
        watches: OrderedDict[Key, Watch[V]] = OrderedDict()
        for key, inner in zip(keys, states, strict=True):
            watches[key] = self._make()
            watches[key].restore(inner)
        self._watches, self.n_evicted = watches, n_evicted

    def _assigned(self, keys: Sequence[Key]) -> Sequence[tuple[Watch[V], Sequence[int]]]:
        """Return the watches for these rows; a key evicted and back has two, one after another.

        Watches know nothing of each other, so the rows of each can be judged together.
        """
        if keys and keys.count(keys[0]) == len(keys):
            self._touch(keys[0])
            self._watches.move_to_end(keys[0])
            return [(self._watches[keys[0]], range(len(keys)))]
        assigned: list[tuple[Watch[V], list[int]]] = []
        current: dict[Key, list[int]] = {}
        for row, key in enumerate(keys):
            if key not in current:
                if forgotten := self._touch(key):
                    current.pop(forgotten[0], None)
                current[key] = []
                assigned.append((self._watches[key], current[key]))
            current[key].append(row)
            self._watches.move_to_end(key)
        return assigned

    def _touch(self, key: Key) -> tuple[Key] | None:
        """Make sure that ``key`` has a watch; return the key forgotten for it, if any."""
        if key in self._watches:
            return None
        self._watches[key] = self._make()
        if len(self._watches) <= self._max_keys:
            return None
        self.n_evicted += 1
        return (self._watches.popitem(last=False)[0],)
