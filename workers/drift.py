"""The drift worker: finds fields whose distribution changed, and models that got worse."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256

from detectors.watch import DriftVerdict, DriftWatch
from detectors.watch.sentences import PRESENCE, effect_words
from schemas.findings import DriftEvent, DriftKind
from schemas.topology import DriftWatched, DriftWorkerSettings, Topology
from schemas.topology_budget import share_of
from streams.entry import Entry
from streams.keys import Lane, bare
from workers.labels import LabelledPairs
from workers.recent import Recent
from workers.watching import Part, Told, WatchedStream, WatchedStreams


class DriftStream(WatchedStream[DriftVerdict]):
    """One stream: its fields, and its predictions where it has their labels too."""

    def __init__(self, watched: DriftWatched, settings: DriftWorkerSettings) -> None:
        options, labels = settings.detectors, watched.labels
        fields = options
        if labels:  # some messages are predictions and others labels: what is missing says nothing
            fields = options.model_copy(update={"presence": None})
        super().__init__(watched, lambda: DriftWatch(fields), options.max_keys)
        self._predictions = watched.predictions
        self._recent = Recent()
        self._pairs = LabelledPairs(labels, options) if labels else None

    def events(self, entries: Sequence[Entry]) -> list[Told]:
        """An event for each change, at the message that made it evident."""
        seen = self.observe(entries)
        self._recent.add(entries, seen.keys, seen.columns)
        found = [(entries[v.row], seen.keys[v.row], v) for v in seen.found]
        told = list(self._told(found, self._recent))
        self._recent.drop()
        if self._pairs:
            told += self._told(self._pairs.observe(seen), self._pairs.recent)
            self._pairs.recent.drop()
        return told

    def counts(self) -> dict[str, int]:
        """What was counted since the beginning, by what it is."""
        own, joined = super().counts(), self._pairs.counts() if self._pairs else {}
        return {name: own.get(name, 0) + joined.get(name, 0) for name in {**own, **joined}}

    def parts(self) -> dict[str, Part]:
        """All that has a state, by name."""
        joined = self._pairs.parts() if self._pairs else {}
        return {**super().parts(), "recent": self._recent, **joined}

    def _told(
        self, found: Sequence[tuple[Entry, str | None, DriftVerdict]], recent: Recent
    ) -> Iterator[Told]:
        for entry, key, verdict in found:
            since = _since(entry, key, verdict, recent)
            yield Told(entry, _event(entry, key, verdict, self._kind(verdict), since), entry.uid)

    def _kind(self, verdict: DriftVerdict) -> DriftKind:
        if verdict.detector == PRESENCE:
            return DriftKind.PRESENCE
        if verdict.detection.of == "errors":
            return DriftKind.CONCEPT
        if verdict.detection.of == "codes":
            return DriftKind.CATEGORICAL
        is_predicted = any(fnmatchcase(verdict.field, each) for each in self._predictions)
        return DriftKind.PREDICTION if is_predicted else DriftKind.DATA


class Drift(WatchedStreams):
    """Emits a ``DriftEvent`` at the message that made a change of a field evident."""

    def __init__(
        self, topology: Topology, settings: DriftWorkerSettings, worker: str, lane: Lane
    ) -> None:
        shares = {name: share_of(topology, worker, name) for name in settings.watch}
        self._settings = {name: _within(settings, share) for name, share in shares.items()}
        super().__init__(topology, settings, lane)
        if topology.budget:  # who changes it, or divides it otherwise, has other thresholds
            said = repr([self.fingerprint, shares])
            self.fingerprint = sha256(said.encode()).hexdigest()[:16]

    def watched(self, name: str) -> DriftStream:
        """A stream of which nothing has been seen yet."""
        settings = self._settings[name]
        return DriftStream(settings.watch[name], settings)


def _within(settings: DriftWorkerSettings, budget_per_s: float | None) -> DriftWorkerSettings:
    if budget_per_s is None:
        return settings  # the worker may have a budget of its own
    detectors = settings.detectors.model_copy(update={"budget_per_s": budget_per_s})
    return settings.model_copy(update={"detectors": detectors})


def _since(entry: Entry, key: str | None, verdict: DriftVerdict, recent: Recent) -> str | None:
    field = None if verdict.detector == PRESENCE else verdict.field
    entry_id = recent.id_of(entry, key, field, verdict.detection.began_ago)
    return f"{entry.stream}/{entry_id}" if entry_id else None


def _event(
    entry: Entry, key: str | None, verdict: DriftVerdict, kind: DriftKind, since: str | None
) -> DriftEvent:
    found = verdict.detection
    return DriftEvent(
        stream=bare(entry.stream),
        key=key,
        field=verdict.field,
        drift=kind,
        detector=verdict.detector,
        statistic=found.measured.statistic,
        value=found.measured.value,
        threshold=found.measured.threshold,
        p_value=found.measured.p_value,
        e_value=found.measured.e_value,
        effect=found.effect,
        size=effect_words(found),
        began_ago=found.began_ago or None,
        since=since,
        message=entry.uid,
        at_ms=entry.at_ms,
        baseline=found.baseline,
        current=found.current,
        severity=verdict.severity,
        explanation=verdict.explanation[:1024],
    )
