"""The drift worker: finds fields whose distribution changed, and models that got worse."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

from detectors.fields import FieldTable
from detectors.incidents import Finding, Incidents, Transition
from detectors.texts import Codebooks, is_text_column, path_of
from detectors.watch import DriftVerdict, DriftWatch
from detectors.watch.keyed import MOST_BYTES
from detectors.watch.levels import AlphaBudget
from detectors.watch.sentences import PRESENCE, drift_sentence, effect_words, move_name
from schemas.anomaly_settings import IncidentSettings
from schemas.baseline import Baseline
from schemas.detector_settings import FieldSettings
from schemas.drift_settings import DriftSettings
from schemas.findings import CategoryMove, DriftEvent, DriftKind
from schemas.topology import Topology
from schemas.topology_budget import p_value_alpha_of, share_of
from schemas.topology_workers import DriftWatched, DriftWorkerSettings
from streams.entry import Entry
from streams.keys import Lane, bare
from workers.baselining import Followed
from workers.labels import LabelledPairs
from workers.recent import Recent
from workers.watching import Part, Rows, Told, WatchedStream, WatchedStreams

_ANY_FIELD = "*"


class DriftStream(WatchedStream[DriftVerdict]):
    """One stream: its fields, and its predictions where it has their labels too."""

    def __init__(
        self,
        watched: DriftWatched,
        settings: DriftWorkerSettings,
        worker: str,
        tests: AlphaBudget | None,
        most_bytes: int,
    ) -> None:
        options, labels = settings.detectors, watched.labels
        fields = options
        if labels:  # some messages are predictions and others labels: what is missing says nothing
            fields = options.model_copy(update={"presence": None})
        super().__init__(watched, lambda: DriftWatch(fields, tests), options.max_keys)
        self._texts = _codebooks(options)
        if self._texts:
            patterns = FieldSettings(patterns=watched.fields or None)
            self._fields = FieldTable(patterns, self._texts)
        self._predictions = watched.predictions
        self._recent = Recent()
        together = IncidentSettings(quiet=options.incident_quiet)
        self._incidents = Incidents(together, worker)
        self._followed = Followed()
        # All that is watched shares one checkpoint: each stream, and each one's pairs.
        shares = sum(2 if each.labels else 1 for each in settings.watch.values())
        self._watch.max_bytes = most_bytes // shares
        self._pairs = LabelledPairs(labels, options, most_bytes // shares) if labels else None

    def told(self, rows: Rows) -> list[Told]:
        """An event for each change, at the message that made it evident."""
        judged = self.judged(rows)
        self._recent.add(rows.places, rows.keys, rows.columns)
        found = [_Drifted(v.row, rows.keys[v.row], v, self._recent) for v in judged]
        if self._pairs:
            row_of = {entry.uid: row for row, entry in enumerate(rows.entries)}
            for entry, key, verdict in self._pairs.observe(rows):
                found.append(_Drifted(row_of[entry.uid], key, verdict, self._pairs.recent))
            found.sort(key=attrgetter("row"))
        told = list(self._told(rows, found))
        self._recent.drop()
        if self._pairs:
            self._pairs.recent.drop()
        return told

    def counts(self) -> dict[str, int]:
        """What was counted since the beginning, by what it is."""
        own, joined = super().counts(), self._pairs.counts() if self._pairs else {}
        own["texts_left_out"] = self._texts.n_left_out if self._texts else 0
        return {name: own.get(name, 0) + joined.get(name, 0) for name in {**own, **joined}}

    def levels(self) -> dict[str, float]:
        """What is measured of the stream as it stands, by what it is."""
        return self._pairs.levels() if self._pairs else {}

    def parts(self) -> dict[str, Part]:
        """All that has a state, by name."""
        joined = self._pairs.parts() if self._pairs else {}
        own: dict[str, Part] = {"recent": self._recent, "incidents": self._incidents}
        return {**super().parts(), **own, "followed": self._followed, **joined}

    def follow(self, baseline: Baseline | None) -> None:
        """Learn anew what is normal for fields whose baseline somebody has set meanwhile.

        And for those whose baseline is frozen, learn it anew after no drift any more.
        """
        anew = self._followed.take(baseline)
        known = baseline.fields.items() if baseline else ()
        frozen = frozenset(name for name, field in known if field.frozen)
        for watch in self._watch.watches:
            assert isinstance(watch, DriftWatch)
            if anew:
                watch.relearn(anew)
            watch.hold(frozen)

    def _told(self, rows: Rows, found: Sequence["_Drifted"]) -> Iterator[Told]:
        findings = [each.finding(rows.entries[each.row]) for each in found]
        for change in self._incidents.observe(findings, rows.keys):
            if change.finding is not None:  # what has drifted stays as it is: nothing clears
                drifted = found[change.finding]
                entry, kind = rows.entries[drifted.row], self._kind(drifted.verdict)
                more = self._named(drifted.verdict) | _of_incident(change)
                yield Told(drifted.row, _event(entry, drifted, kind, more), entry.uid)

    def _named(self, verdict: DriftVerdict) -> dict[str, object]:
        """What an event about categories says of these, by their texts where they have some."""
        field, found = path_of(verdict.field), verdict.detection
        if not found.moves:
            return {}
        book = self._texts.get(field) if self._texts and is_text_column(verdict.field) else None
        name_of = book.name_of if book else str
        moves = tuple(
            CategoryMove(category=move_name(move, name_of), before=move.before, now=move.now)
            for move in found.moves
        )
        explanation = drift_sentence(field, verdict.detector, found, name_of)
        return {"categories": moves, "explanation": explanation[:1024]}

    def _kind(self, verdict: DriftVerdict) -> DriftKind:
        if verdict.detector == PRESENCE:
            return DriftKind.PRESENCE
        if verdict.detection.of == "errors":
            return DriftKind.CONCEPT
        if verdict.detection.of == "codes":
            return DriftKind.CATEGORICAL
        is_predicted = any(fnmatchcase(verdict.field, each) for each in self._predictions)
        return DriftKind.PREDICTION if is_predicted else DriftKind.DATA


class Drift(WatchedStreams[DriftStream]):
    """Emits a ``DriftEvent`` at the message that made a change of a field evident.

    What its keys have learnt may take ``most_bytes``.
    """

    def __init__(
        self,
        topology: Topology,
        settings: DriftWorkerSettings,
        worker: str,
        lane: Lane,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        shares = {name: share_of(topology, worker, name) for name in settings.watch}
        self._worker, self._most_bytes = worker, most_bytes
        self._heard: dict[str, Baseline | None] = {}
        self._settings = {name: _within(settings, share) for name, share in shares.items()}
        self._tests = {name: _tests(topology, worker, name) for name in settings.watch}
        super().__init__(topology, settings, lane)
        if topology.budget:  # who changes it, or divides it otherwise, has other thresholds
            said = repr([self.fingerprint, shares, self._tests])
            self.fingerprint = sha256(said.encode()).hexdigest()[:16]

    def watched(self, name: str) -> DriftStream:
        """A stream of which nothing has been seen yet."""
        settings, tests = self._settings[name], self._tests[name]
        return DriftStream(settings.watch[name], settings, self._worker, tests, self._most_bytes)

    def heed(self, stream: str, baseline: Baseline | None) -> None:
        """Note the newest baselines of a stream; from any thread."""
        self._heard[stream] = baseline

    def revise(self) -> None:
        """Take over the baselines that were noted."""
        for name in self.streams.keys() & self._heard.keys():
            self.streams[name].follow(self._heard[name])

    def levels(self) -> dict[str, dict[str, float]]:
        """What is measured of each stream as it stands: by stream, and by what it is."""
        return {name: stream.levels() for name, stream in self.streams.items()}


def _codebooks(settings: DriftSettings) -> Codebooks | None:
    codes = settings.categories
    return Codebooks(codes.max_categories) if settings.texts and codes else None


def _tests(topology: Topology, worker: str, stream: str) -> AlphaBudget | None:
    alpha = p_value_alpha_of(topology, worker, stream)
    return AlphaBudget(alpha, topology.budget.per) if alpha and topology.budget else None


def _within(settings: DriftWorkerSettings, budget_per_s: float | None) -> DriftWorkerSettings:
    if budget_per_s is None:
        return settings  # the worker may have a budget of its own
    detectors = settings.detectors.model_copy(update={"budget_per_s": budget_per_s})
    return settings.model_copy(update={"detectors": detectors})


class _Drifted(NamedTuple):
    """A verdict about a row of the batch, whose it is, and the messages it counts among."""

    row: int
    key: str | None
    verdict: DriftVerdict
    recent: Recent

    def finding(self, entry: Entry) -> Finding:
        """The verdict as its incident sees it: whatever the field, drifts of a key are one."""
        measured = self.verdict.detection.measured
        return Finding(
            row=self.row,
            key=self.key,
            field=_ANY_FIELD,
            severity=self.verdict.severity,
            score=measured.value,
            message=entry.uid,
            detector=self.verdict.detector,
            threshold=measured.threshold,
        )

    def since(self, entry: Entry) -> str | None:
        """The message with which the change most likely began."""
        field = None if self.verdict.detector == PRESENCE else self.verdict.field
        back = self.verdict.detection.began_ago
        entry_id = self.recent.id_of(entry, self.key, field, back)
        return f"{entry.stream}/{entry_id}" if entry_id else None


def _of_incident(change: Transition) -> dict[str, object]:
    incident = change.incident
    return {
        "incident": incident.incident_id,
        "status": change.status,
        "count": incident.n_findings,
        "first": incident.first,
        "worst": incident.severity,
    }


def _event(
    entry: Entry, drifted: _Drifted, kind: DriftKind, more: Mapping[str, object]
) -> DriftEvent:
    verdict, found = drifted.verdict, drifted.verdict.detection
    said: dict[str, object] = {
        "stream": bare(entry.stream),
        "key": drifted.key,
        "field": path_of(verdict.field),
        "drift": kind,
        "detector": verdict.detector,
        "statistic": found.measured.statistic,
        "value": found.measured.value,
        "threshold": found.measured.threshold,
        "p_value": found.measured.p_value,
        "e_value": found.measured.e_value,
        "effect": found.effect,
        "size": effect_words(found),
        "began_ago": found.began_ago or None,
        "since": drifted.since(entry),
        "message": entry.uid,
        "at_ms": entry.at_ms,
        "baseline": found.baseline,
        "current": found.current,
        "severity": verdict.severity,
        "explanation": verdict.explanation[:1024],
    }
    return DriftEvent.model_validate(said | dict(more))
