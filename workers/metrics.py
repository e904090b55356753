"""What a worker counts. Every name begins with ``penstock_`` and every label has few values."""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.commit import Committed
from streams.entry import Entry, Settled
from streams.keys import bare

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PROCESS = ("worker", "kind")
_LANE = (*_PROCESS, "lane")


class Families:
    """The metrics of one worker process, in a registry of their own, over all its lanes."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *more: str) -> Counter:
            return Counter(name, text, [*_LANE, *more], registry=registry)

        self.entries = counter(
            "penstock_entries", "Entries handled and committed, by what became of them.",
            "stream", "outcome",
        )  # fmt: skip
        self.emitted = counter("penstock_outputs", "Entries emitted.", "stream")
        self.failed = counter("penstock_failures", "Attempts that raised.", "stream")
        self.lost = counter("penstock_settled_elsewhere", "Entries that another worker settled.")
        self.duplicates = counter("penstock_duplicates", "Entries dropped as duplicates by id.")
        self.commits = counter("penstock_commits", "Commits.")
        self.trimmed = counter("penstock_trimmed", "Entries trimmed.", "stream")
        self.counts = {
            "keys_evicted": counter(
                "penstock_keys_evicted", "Keys forgotten to make room for others.", "stream"
            ),
            "labels_evicted": counter(
                "penstock_labels_evicted", "Halves forgotten before the other came.", "stream"
            ),
        }
        self.seconds = Histogram(
            "penstock_batch_seconds", "Handling and committing one batch.", _LANE,
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.age = Histogram(
            "penstock_entry_age_seconds", "Age of a batch's oldest entry at its commit.", _LANE,
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.last = Gauge(
            "penstock_last_commit_timestamp_seconds", "When a batch was last committed.", _LANE,
            registry=registry,
        )  # fmt: skip
        self.ready = Gauge(
            "penstock_ready", "1 while the worker takes entries of the lane.", _LANE,
            registry=registry,
        )  # fmt: skip
        self.rss = Gauge(
            "penstock_resident_memory_bytes", "Resident memory.", _PROCESS, registry=registry
        )
        self.started = Gauge(
            "penstock_start_time_seconds", "When the process started.", _PROCESS, registry=registry
        )


@runtime_checkable
class Counting(Protocol):
    """A handler that counts: numbers since the beginning, by stream and by what is counted."""

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """The numbers as they are now."""
        ...


class Metrics:
    """The metrics of one worker on one lane; the lanes of a process share their ``families``.

    What ``handler`` counts, where it does, is read after each batch.
    """

    def __init__(
        self,
        worker: str,
        kind: str,
        now_s: float,
        *,
        lane: int = 0,
        families: Families | None = None,
        handler: object = None,
    ) -> None:
        self._all = found = families or Families()
        self.registry = found.registry
        self._handler = handler if isinstance(handler, Counting) else None
        self._counted: dict[tuple[str, str], int] = {}
        process = {"worker": worker, "kind": kind}
        self._labels = labels = {**process, "lane": str(lane)}
        self._seconds = found.seconds.labels(**labels)
        self._age = found.age.labels(**labels)
        self._last = found.last.labels(**labels)
        self.ready = found.ready.labels(**labels)
        self.rss = found.rss.labels(**process)
        found.started.labels(**process).set(now_s)

    def batch(self, settled: Sequence[Settled], took_s: float, now_s: float) -> None:
        """Note a committed batch."""
        outcomes = Tally((s.entry.stream, s.outcome) for s in settled)
        for (key, outcome), number in outcomes.items():
            self._all.entries.labels(**self._labels, stream=bare(key), outcome=outcome).inc(number)
        for key, number in Tally(o.stream for s in settled for o in s.outputs).items():
            self._all.emitted.labels(**self._labels, stream=bare(key)).inc(number)
        self._seconds.observe(took_s)
        first = {s.entry.stream: s.entry for s in reversed(settled)}  # oldest first in a stream
        self._age.observe(max(0.0, now_s - min(e.at_ms for e in first.values()) / 1000))
        self._last.set(now_s)
        self._count()

    def _count(self) -> None:
        """Raise the counters to the handler's; a rebuilt state may count less for a while."""
        for stream, counts in self._handler.counts().items() if self._handler else ():
            for name, number in counts.items():
                before = self._counted.get((stream, name), 0)
                self._all.counts[name].labels(**self._labels, stream=stream).inc(
                    max(0, number - before)
                )
                self._counted[stream, name] = max(before, number)

    def committed(self, committed: Committed, inputs: int) -> None:
        """Note what one commit did."""
        self._all.commits.labels(**self._labels).inc()
        self._all.duplicates.labels(**self._labels).inc(committed.duplicates)
        self._all.lost.labels(**self._labels).inc(inputs - committed.acknowledged)

    def failed(self, entry: Entry) -> None:
        """Note that the handler raised on one entry alone."""
        self._all.failed.labels(**self._labels, stream=bare(entry.stream)).inc()

    def trimmed(self, stream: str, entries: int) -> None:
        """Note a trim; a negative number means that it had to wait for a missing group."""
        self._all.trimmed.labels(**self._labels, stream=stream).inc(max(0, entries))
