"""What a drift detector did on the benchmark's streams, in a few numbers."""

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bench.detection.drift_streams import Stream
from bench.detection.noise import mean_and_error

Run = Callable[[Stream], list[int]]
"""Feeds a stream to a new detector; the rows of its alarms."""

_INDEPENDENT = "iid"


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
            for group in _groups(stream):
                self._values[group] += len(stream.values)
                self._alarms[group] += len(alarms)
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
        found: dict[str, Any] = {
            "false_alarms_per_10k": {
                group: 1e4 * self._alarms[group] / n for group, n in self._values.items()
            },
            "alarms": dict(self._alarms),
            "stationary_values": dict(self._values),
            "changes": changes,
            "false_in_drifting": self._false,
            "values_per_s": round(self._n / max(self._seconds, 1e-9)),
        }
        if changes:
            found["detected"] = hits / changes
            found["f1"] = 2 * hits / (hits + self._false + changes)
            found["median_delay"] = statistics.median(self._delays) if hits else None
        return found


def _groups(stream: Stream) -> tuple[str, ...]:
    group = stream.group.removeprefix("stationary-")
    return (group,) if group in (_INDEPENDENT, "learner") else (group, "dependent")


def over_seeds(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the means of the seeds' rows, each with its standard error, and sums of counts.

    Of the median delay it is the mean of the seeds' medians; None where nothing was found.
    """
    row: dict[str, Any] = {"seeds": len(rows)}
    row["false_alarms_per_10k"] = {
        group: {
            **mean_and_error([each["false_alarms_per_10k"][group] for each in rows]),
            "alarms": sum(each["alarms"].get(group, 0) for each in rows),
            "values": sum(each["stationary_values"][group] for each in rows),
        }
        for group in sorted(rows[0]["stationary_values"])
    }
    for name in ("changes", "false_in_drifting"):
        row[name] = sum(each[name] for each in rows)
    for name in ("detected", "f1", "median_delay", "values_per_s"):
        known = [float(each[name]) for each in rows if each.get(name) is not None]
        row[name] = mean_and_error(known) if known else None
    return row


def tally(run: Run, streams: Iterable[Stream], window: Callable[[str], int]) -> dict[str, Any]:
    """Run a detector over all streams; its row, over the streams' seeds."""
    by_seed: defaultdict[int, Tally] = defaultdict(Tally)
    for stream in streams:
        begin = time.process_time()
        alarms = run(stream)
        took_s = time.process_time() - begin
        by_seed[stream.seed].add(stream, alarms, window(stream.group), took_s)
    return over_seeds([counted.row() for counted in by_seed.values()])
