"""The anomaly worker: flags messages that are unlike the past of their stream and key."""

from collections.abc import Sequence

from detectors.incidents import Finding, Incident, Incidents, Transition
from detectors.watch import AnomalyVerdict, AnomalyWatch
from detectors.watch.keyed import MOST_BYTES
from detectors.watch.verdicts import Guilt
from schemas.findings import AnomalyEvent, GuiltyField, Status
from schemas.topology import Topology
from schemas.topology_workers import AnomalyWorkerSettings, Watched
from streams.entry import Entry
from streams.keys import Lane, bare
from workers.provenance import text_field
from workers.watching import Part, Rows, Told, WatchedStream, WatchedStreams


class AnomalyStream(WatchedStream[AnomalyVerdict]):
    """One stream, and the incidents that its flagged messages belong to."""

    def __init__(
        self, watched: Watched, settings: AnomalyWorkerSettings, worker: str, most_bytes: int
    ) -> None:
        options = settings.detectors
        super().__init__(watched, lambda: AnomalyWatch(options), options.max_keys)
        # All streams of a worker share one checkpoint.
        self._watch.max_bytes = most_bytes // len(settings.watch)
        self._incidents = Incidents(options.incidents, worker)
        self._each = options.incidents.each

    def told(self, rows: Rows) -> list[Told]:
        """An event for flagged messages, and one for each incident that is over."""
        judged, entries = self.judged(rows), rows.entries
        found = [
            Finding.of(verdict, rows.keys[verdict.row], entries[verdict.row].uid)
            for verdict in judged
        ]
        changes = self._incidents.observe(found, rows.keys)
        told = (change for change in changes if self._is_told(change))
        return [_told(entries[change.row], change, judged) for change in told]

    def _is_told(self, change: Transition) -> bool:
        """A storm is told by its changes alone, once it has become long."""
        return change.status is not Status.ONGOING or change.incident.n_findings <= self._each

    def parts(self) -> dict[str, Part]:
        """All that has a state, by name."""
        return {**super().parts(), "incidents": self._incidents}


class Anomaly(WatchedStreams[AnomalyStream]):
    """Emits an ``AnomalyEvent`` for each flagged message, and for the end of an incident.

    What its keys have learnt may take ``most_bytes``.
    """

    def __init__(
        self,
        topology: Topology,
        settings: AnomalyWorkerSettings,
        worker: str,
        lane: Lane,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._settings, self._worker, self._most_bytes = settings, worker, most_bytes
        super().__init__(topology, settings, lane)

    def watched(self, name: str) -> AnomalyStream:
        """A stream of which nothing has been seen yet."""
        watched = self._settings.watch[name]
        return AnomalyStream(watched, self._settings, self._worker, self._most_bytes)


def _told(entry: Entry, change: Transition, found: Sequence[AnomalyVerdict]) -> Told:
    if change.finding is None:
        return Told(change.row, _over(entry, change.incident), change.incident.last)
    return Told(change.row, _flagged(entry, found[change.finding], change), entry.uid)


def _flagged(entry: Entry, verdict: AnomalyVerdict, change: Transition) -> AnomalyEvent:
    incident = change.incident
    return AnomalyEvent(
        stream=bare(entry.stream),
        key=incident.key,
        detector=verdict.detector,
        message=entry.uid,
        message_id=text_field(entry, b"id"),
        at_ms=entry.at_ms,
        score=verdict.score,
        threshold=verdict.threshold,
        p_value=verdict.p_value,
        severity=verdict.severity,
        fields=verdict.fields,
        guilty=tuple(_guilty(guilt) for guilt in verdict.guilty),
        incident=incident.incident_id,
        field=incident.field,
        status=change.status,
        count=incident.n_findings,
        first=incident.first,
        worst=incident.severity,
        explanation=verdict.explanation[:1024],
    )


def _over(entry: Entry, incident: Incident) -> AnomalyEvent:
    worst, number = incident.worst, incident.n_findings
    messages = "message was" if number == 1 else "messages were"
    return AnomalyEvent(
        stream=bare(entry.stream),
        key=incident.key,
        detector=worst.detector,
        message=incident.last,
        at_ms=entry.at_ms,
        score=worst.score,
        threshold=worst.threshold,
        p_value=worst.p_value,
        severity=worst.severity,
        fields=(),
        incident=incident.incident_id,
        field=incident.field,
        status=Status.CLEAR,
        count=number,
        first=incident.first,
        worst=worst.severity,
        explanation=f"{incident.field} is as usual again; {number:,} {messages} flagged",
    )


def _guilty(guilt: Guilt) -> GuiltyField:
    return GuiltyField(
        field=guilt.field,
        value=guilt.value,
        share=min(guilt.share, 1.0),
        expected=guilt.expected,
        low=guilt.low,
        high=guilt.high,
        nearest=guilt.nearest,
    )
