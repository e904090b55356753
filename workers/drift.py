"""The drift worker: finds fields whose distribution changed."""

from detectors.watch import DriftVerdict, DriftWatch
from schemas.findings import DriftEvent
from schemas.topology import DriftWorkerSettings, Topology
from streams.entry import Entry, Output
from streams.keys import Lane, bare
from workers.provenance import carried_on, finding
from workers.watching import WatchedStreams


class Drift(WatchedStreams[DriftVerdict]):
    """Emits a ``DriftEvent`` at the message that made a change of a field evident."""

    def __init__(
        self, topology: Topology, settings: DriftWorkerSettings, worker: str, lane: Lane
    ) -> None:
        super().__init__(topology, settings, lane, lambda: DriftWatch(settings.detectors))

    def output(self, entry: Entry, key: str | None, verdict: DriftVerdict) -> Output:
        """The event that tells of a changed field."""
        detection = verdict.detection
        event = DriftEvent(
            stream=bare(entry.stream),
            key=key,
            field=verdict.field,
            detector=verdict.detector,
            statistic=detection.measured.statistic,
            value=detection.measured.value,
            threshold=detection.measured.threshold,
            p_value=detection.measured.p_value,
            effect=detection.effect,
            message=entry.uid,
            at_ms=entry.at_ms,
            baseline=detection.baseline,
            current=detection.current,
            severity=verdict.severity,
            explanation=verdict.explanation[:1024],
        )
        note = finding(entry, self._schema, event, verdict.detector, verdict.severity)
        fields = [b"data", event.model_dump_json().encode(), *carried_on(entry)]
        return Output(self._writes, fields, note)
