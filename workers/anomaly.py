"""The anomaly worker: flags messages that are unlike the past of their stream and key."""

from detectors.watch import AnomalyVerdict, AnomalyWatch
from schemas.findings import AnomalyEvent
from schemas.topology import AnomalyWorkerSettings, Topology
from streams.entry import Entry, Output
from streams.keys import Lane, bare
from workers.provenance import carried_on, finding, text_field
from workers.watching import WatchedStreams


class Anomaly(WatchedStreams[AnomalyVerdict]):
    """Emits an ``AnomalyEvent`` for each flagged message, derived from it."""

    def __init__(
        self, topology: Topology, settings: AnomalyWorkerSettings, worker: str, lane: Lane
    ) -> None:
        super().__init__(topology, settings, lane, lambda: AnomalyWatch(settings.detectors))

    def output(self, entry: Entry, key: str | None, verdict: AnomalyVerdict) -> Output:
        """The event that tells of a flagged message."""
        event = AnomalyEvent(
            stream=bare(entry.stream),
            key=key,
            detector=verdict.detector,
            message=entry.uid,
            message_id=text_field(entry, b"id"),
            at_ms=entry.at_ms,
            score=verdict.score,
            threshold=verdict.threshold,
            p_value=verdict.p_value,
            severity=verdict.severity,
            fields=verdict.fields,
            explanation=verdict.explanation[:1024],
        )
        note = finding(entry, self._schema, event, verdict.detector, verdict.severity)
        fields = [b"data", event.model_dump_json().encode(), *carried_on(entry)]
        return Output(self._writes, fields, note)
