"""What a worker counts. Every name begins with ``penstock_`` and every label has few values."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Literal, Protocol, runtime_checkable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.findings import Severity
from streams.commit import Committed
from streams.entry import Entry, Outcome, Settled
from streams.keys import bare
from workers.ages import Ages

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# the bounds that the rules promise are among them, so that they are met or not, and never guessed
_AGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0)
_PROCESS = ("worker", "kind")
_LANE = (*_PROCESS, "lane")
_TELLING = {"anomaly": ("anomaly",), "drift": ("drift",), "detect": ("anomaly", "drift")}
"""What the events are that a kind of worker emits; they are counted under their own kind."""

_COUNTS = {
    "keys_evicted": ("penstock_keys_evicted", "Keys forgotten to make room for others."),
    "labels_evicted": ("penstock_labels_evicted", "Halves forgotten before the other came."),
    "labels_corrected": ("penstock_labels_corrected", "Labels of pairs that had counted."),
    "texts_left_out": ("penstock_texts_left_out", "Fields of texts that are no categories."),
}
"""What handlers count: the metric, and what it says."""

_LEVELS = {
    "calibration_error": (
        "penstock_calibration_error", "Expected calibration error at the latest test.",
    ),
    "calibration_bound": (
        "penstock_calibration_error_bound", "What it may be before an event is raised.",
    ),
}  # fmt: skip
"""What handlers measure: the metric, and what it says."""


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
        self.events = counter(
            "penstock_events", "Events emitted, by severity.", "stream", "severity"
        )
        self.checkpoints = counter(
            "penstock_checkpoint_problems", "Checkpoints refused or skipped.", "problem"
        )
        self.counts = {
            name: counter(metric, text, "stream") for name, (metric, text) in _COUNTS.items()
        }
        self.levels = {
            name: Gauge(metric, text, [*_LANE, "stream"], registry=registry)
            for name, (metric, text) in _LEVELS.items()
        }
        self.seconds = Histogram(
            "penstock_batch_seconds", "Handling and committing one batch.", _LANE,
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.age = Ages(
            "penstock_entry_age_seconds", "Age of an entry at its commit.",
            (*_LANE, "stream"), _AGES,
        )  # fmt: skip
        registry.register(self.age)
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


@runtime_checkable
class Measuring(Protocol):
    """A handler that measures: numbers as they stand, by stream and by what is measured."""

    def levels(self) -> Mapping[str, Mapping[str, float]]:
        """The numbers as they are now."""
        ...


class Metrics:
    """The metrics of one worker on one lane; the lanes of a process share their ``families``.

    What ``handler`` counts and measures, where it does, is read after each batch.
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
        self._measuring = handler if isinstance(handler, Measuring) else None
        self._counted: dict[tuple[str, str], int] = {}
        process = {"worker": worker, "kind": kind}
        self._labels = labels = {**process, "lane": str(lane)}
        self._seconds = found.seconds.labels(**labels)
        self._last = found.last.labels(**labels)
        self.ready = found.ready.labels(**labels)
        self.rss = found.rss.labels(**process)
        found.started.labels(**process).set(now_s)

    def expect(self, streams: Iterable[str]) -> None:
        """Begin at zero what is counted of these streams, so that the first one is a rise."""
        rejected: tuple[Outcome, ...] = ("rejected",) if self._is("gate") else ()
        for stream in streams:
            for outcome in ("accepted", "dead", *rejected):
                self._all.entries.labels(**self._labels, stream=stream, outcome=outcome)
            for kind, severity in product(_TELLING.get(self._labels["kind"], ()), Severity):
                labels = {**self._labels, "kind": kind, "severity": severity.value}
                self._all.events.labels(**labels, stream=stream)
            self._all.failed.labels(**self._labels, stream=stream)
            self._all.age.expect((*self._labels.values(), stream))
        for problem in ("refused", "skipped"):
            self._all.checkpoints.labels(**self._labels, problem=problem)

    def _is(self, *kinds: str) -> bool:
        return self._labels["kind"] in kinds

    def batch(self, settled: Sequence[Settled], took_s: float | None, now_s: float) -> None:
        """Note a committed batch; ``took_s`` None where its handling was no part of it."""
        # entries of one millisecond are counted together: under load that is most of a batch
        alike = Tally((s.entry.stream, s.outcome, s.entry.id.partition("-")[0]) for s in settled)
        outcomes = Tally[tuple[str, Outcome]]()
        ages_s: dict[str, dict[float, int]] = {}
        for (key, outcome, ms), number in alike.items():
            outcomes[key, outcome] += number
            ages, age_s = ages_s.setdefault(key, {}), now_s - int(ms) / 1000
            ages[age_s] = ages.get(age_s, 0) + number
        for (key, outcome), number in outcomes.items():
            self._all.entries.labels(**self._labels, stream=bare(key), outcome=outcome).inc(number)
        for key, found in ages_s.items():
            self._all.age.add((*self._labels.values(), bare(key)), found)
        for key, number in Tally(o.stream for s in settled for o in s.outputs).items():
            self._all.emitted.labels(**self._labels, stream=bare(key)).inc(number)
        if took_s is not None:
            self._seconds.observe(took_s)
        self._last.set(now_s)
        if self._labels["kind"] in _TELLING:
            self._note_events(settled)
        self._count()

    def _note_events(self, settled: Sequence[Settled]) -> None:
        for each in (each for each in settled if each.outputs):
            for note in (output.lineage for output in each.outputs):
                if note is not None and "finding" in note:
                    stream, severity = bare(each.entry.stream), note["finding"]["severity"]
                    labels = {**self._labels, "kind": note["finding"]["kind"]}
                    self._all.events.labels(**labels, stream=stream, severity=severity).inc()

    def _count(self) -> None:
        """Raise the counters to the handler's; a rebuilt state may count less for a while."""
        for stream, counts in self._handler.counts().items() if self._handler else ():
            for name, number in counts.items():
                before = self._counted.get((stream, name), 0)
                self._all.counts[name].labels(**self._labels, stream=stream).inc(
                    max(0, number - before)
                )
                self._counted[stream, name] = max(before, number)
        for stream, levels in self._measuring.levels().items() if self._measuring else ():
            for name, level in levels.items():
                self._all.levels[name].labels(**self._labels, stream=stream).set(level)

    def committed(self, committed: Committed, inputs: int) -> None:
        """Note what one commit did."""
        self._all.commits.labels(**self._labels).inc()
        self._all.duplicates.labels(**self._labels).inc(committed.duplicates)
        self._all.lost.labels(**self._labels).inc(inputs - committed.acknowledged)

    def checkpoint(self, problem: Literal["refused", "skipped"]) -> None:
        """Note a checkpoint that was not taken over, or one that could not be made."""
        self._all.checkpoints.labels(**self._labels, problem=problem).inc()

    def failed(self, entry: Entry) -> None:
        """Note that the handler raised on one entry alone."""
        self._all.failed.labels(**self._labels, stream=bare(entry.stream)).inc()

    def trimmed(self, stream: str, entries: int) -> None:
        """Note a trim; a negative number means that it had to wait for a missing group."""
        self._all.trimmed.labels(**self._labels, stream=stream).inc(max(0, entries))
