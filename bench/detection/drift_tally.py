"""What a drift detector did on the benchmark's streams, in a few numbers."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from bench.detection.drift_streams import Stream

Run = Callable[[Stream], list[int]]
"""Feeds a stream to a new detector; the rows of its alarms."""


class Tally:
    """Counts alarms: true within the window after a change, false anywhere else."""

    def __init__(self) -> None:
        self._values: Counter[str] = Counter()
        self._alarms: Counter[str] = Counter()
        self._changes, self._false, self._delays = 0, 0, list[int]()
        self._n, self._seconds = 0, 0.0

    def add(self, stream: Stream, alarms: list[int], window: int, seconds: float) -> None:
        """Take in what was reported on one stream."""
        self._n += len(stream.values)
        self._seconds += seconds
        if not stream.changes:
            self._values[stream.group] += len(stream.values)
            self._alarms[stream.group] += len(alarms)
            return
        self._changes += len(stream.changes)
        in_time = {row: row + window for row in stream.changes}
        for begin, end in in_time.items():
            self._delays += [row - begin for row in alarms if begin < row <= end][:1]
        self._false += sum(
            not any(begin < row <= end for begin, end in in_time.items()) for row in alarms
        )

    def row(self) -> dict[str, Any]:
        """Return the figures; ``false_alarms_per_10k`` by kind of stationary stream."""
        hits, changes = len(self._delays), self._changes
        per_10k, values = {}, {}
        for group, n in sorted(self._values.items()):
            name = group.removeprefix("stationary-")
            per_10k[name], values[name] = round(1e4 * self._alarms[group] / n, 3), n
        return {
            "false_alarms_per_10k": per_10k,
            "stationary_values": {
                g.removeprefix("stationary-"): n for g, n in self._values.items()
            },
            "changes": changes,
            "detected": round(hits / max(changes, 1), 4),
            "f1": round(2 * hits / max(hits + self._false + changes, 1), 4),
            "false_in_drifting": self._false,
            "median_delay": statistics.median(self._delays) if hits else None,
            "values_per_s": round(self._n / max(self._seconds, 1e-9)),
        }


def tally(run: Run, streams: Iterable[Stream], window: Callable[[str], int]) -> dict[str, Any]:
    """Run a detector over all streams; its row."""
    counted = Tally()
    for stream in streams:
        begin = time.process_time()
        alarms = run(stream)
        counted.add(stream, alarms, window(stream.group), time.process_time() - begin)
    return counted.row()
