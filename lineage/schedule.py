"""Retention on a schedule, a step at a time, so that a writer of the store never waits long."""

from collections.abc import Callable, Iterator

from lineage.chain import ChainKey
from lineage.retention import BATCH, Ages, retaining
from lineage.store import LineageStore


class Schedule:
    """Runs retention every ``every_s`` seconds, the first time at once.

    ``now_s`` is the time since the epoch. A run that takes longer than ``every_s`` is finished
    before the next begins.
    """

    def __init__(
        self,
        key: ChainKey,
        ages: Ages,
        every_s: float,
        now_s: Callable[[], float],
        *,
        batch: int = BATCH,
    ) -> None:
        self._key = key
        self._ages = ages
        self._every_s = every_s
        self._now_s = now_s
        self._batch = batch
        self._due_s = self._begun_s = now_s()
        self._steps: Iterator[int] | None = None
        self._removed = 0

    def step(self, store: LineageStore) -> int | None:
        """Take one step if a run is under way or due; how much the run removed if it is over now.

        Raises :class:`lineage.errors.StoreError` when the store refuses; the run then begins anew.
        """
        if self._steps is None:
            now_s = self._now_s()
            if now_s < self._due_s:
                return None
            self._removed, self._begun_s = 0, now_s
            now_ms = int(now_s * 1000)
            self._steps = retaining(store, self._key, self._ages, now_ms, batch=self._batch)
        steps, self._steps = self._steps, None
        removed = next(steps, None)
        if removed is None:
            self._due_s = self._begun_s + self._every_s
            return self._removed
        self._removed += removed
        self._steps = steps
        return None

    def postpone(self) -> None:
        """Leave a run that failed until the next one is due."""
        self._steps, self._due_s = None, self._now_s() + self._every_s
