"""What a run brought, collected from the streams and the provenance graph once all is settled."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lineage.errors import UnknownMessageError
from lineage.settings import LineageSettings
from lineage.store import LineageStore, open_store
from lineage.trace import Trace, fetch
from schemas.findings import AnomalyEvent, DriftEvent, Status
from schemas.topology import Topology
from streams.connection import Client
from streams.entry import Entry, original
from streams.observe import find, since
from streams.quarantine import quarantined
from supervisor.demo.book import Book
from supervisor.demo.broken import Broken
from supervisor.demo.course import Course
from supervisor.demo.data import SHIFT, SHUTTLE, Reading
from supervisor.demo.plan import Item, Place, place_of, prefix_of
from supervisor.demo.settle import Counters, since_start
from supervisor.demo.verdict import (
    Account,
    Accuracy,
    Change,
    DriftVerdict,
    Flag,
    accuracy,
    judge_drift,
)
from supervisor.events import parsed
from supervisor.tables import text
from supervisor.wards import Patient

_DECISIONS_TRIED = 20


@dataclass(frozen=True, slots=True)
class Report:
    """A finished run. ``sent`` counts what it published by sensor, broken messages apart."""

    run: str
    course: Course
    account: Account
    sent: Mapping[str, int]
    broken: int
    reasons: Mapping[str, int]
    flags: tuple[Flag, ...]
    accuracy: Accuracy
    drift: DriftVerdict
    trace: Trace | None


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report is collected from."""

    client: Client
    topology: Topology
    course: Course
    book: Book


def collect(sources: Sources, items: Sequence[Item], counters: Counters, added: int) -> Report:
    """Collect the report of a run.

    ``counters`` and ``added`` (entries that the source ever got) are those of the settled
    pipeline.

    Raises StreamsError or LineageError where something cannot be read.
    """
    readings = [item for item in items if isinstance(item, Reading)]
    sent = Counter(reading.sensor for reading in readings)
    labels = [bool(reading.anomalous) for reading in readings if reading.sensor == SHUTTLE]
    flags, changes = tuple(_flags(sources)), tuple(_changes(sources))
    return Report(
        run=sources.book.run,
        course=sources.course,
        account=_account(sources, counters, added),
        sent=sent,
        broken=sum(isinstance(item, Broken) for item in items),
        reasons=_reasons(sources),
        flags=flags,
        accuracy=accuracy(flags, SHUTTLE, labels, sources.course.share),
        drift=judge_drift(changes, SHIFT, sent[SHIFT.sensor]),
        trace=_decision(sources),
    )


def _account(sources: Sources, counters: Counters, added: int) -> Account:
    course, book = sources.course, sources.book
    settled = since_start(counters, course.gate, course.source, book.before)
    return Account(
        published=book.published,
        valid=settled.get("accepted", 0),
        rejected=settled.get("rejected", 0),
        duplicates=settled.get("duplicate", 0),
        dead=settled.get("dead", 0),
        others=added - book.added - book.published,
    )


def _since_begin(sources: Sources, stream: str) -> Iterator[Entry]:
    ends = sources.book.ends.get(stream, {})
    return since(sources.client, sources.topology, stream, ends)


def _reasons(sources: Sources) -> dict[str, int]:
    """How many of this run were rejected by which rule, the most frequent first."""
    found: Counter[str] = Counter()
    for entry in _since_begin(sources, sources.course.rejected):
        its_id = Entry("", "", original(entry.fields)).get(b"id") or b""
        if text(its_id).startswith(prefix_of(sources.book.run)):
            found[Patient(quarantined(entry)).rule] += 1
    return dict(found.most_common())


def _flags(sources: Sources) -> Iterator[Flag]:
    for stream in sources.course.anomalies:
        for entry in _since_begin(sources, stream):
            event = parsed(entry)
            if event is None or not isinstance(event.finding, AnomalyEvent):
                continue
            if event.finding.status is Status.CLEAR:
                continue  # it names a message that was flagged before
            place = place_of(sources.book.run, event.finding.message_id)
            if place is not None:
                yield Flag(place.sensor, place.number, event.severity)


def _changes(sources: Sources) -> Iterator[Change]:
    for stream in sources.course.drifts:
        for entry in _since_begin(sources, stream):
            event = parsed(entry)
            if event is None or not isinstance(event.finding, DriftEvent):
                continue
            place = _place(sources, event.finding.message)
            if place is not None:
                yield _change(event.finding, place)


def _change(event: DriftEvent, place: Place) -> Change:
    return Change(
        stream=event.stream,
        key=event.key,
        field=event.field,
        detector=event.detector,
        severity=event.severity.value,
        effect=event.effect,
        sensor=place.sensor,
        number=place.number,
    )


def _place(sources: Sources, uid: str) -> Place | None:
    """Which of this run's messages a uid names; a drift event does not carry the producer's id."""
    entry = find(sources.client, uid)
    its_id = entry.get(b"id") if entry else None
    return place_of(sources.book.run, text(its_id) if its_id else None)


def _decision(sources: Sources) -> Trace | None:
    """The history of one decision that this run led to; None where it led to none."""
    stream = sources.course.decisions
    if stream is None:
        return None
    uids = [entry.uid for entry in _since_begin(sources, stream)]
    if not uids:
        return None
    with open_store(LineageSettings().store()) as store:
        return _first_of_run(store, uids[:_DECISIONS_TRIED], prefix_of(sources.book.run))


def _first_of_run(store: LineageStore, uids: Iterable[str], prefix: str) -> Trace | None:
    for uid in uids:
        try:
            trace = fetch(store, uid)
        except UnknownMessageError:
            continue  # its record is yet to be written: an older decision will do
        if any((step.producer_id or "").startswith(prefix) for step in trace.steps):
            return trace
    return None


def to_json(report: Report) -> str:
    """The report as one JSON object."""
    account = report.account
    said: dict[str, Any] = {
        "in": account.published,
        "valid": account.valid,
        "rejected": account.rejected,
        "reasons": dict(report.reasons),
        "anomaly_events": len(report.flags),
        "precision": report.accuracy.precision,
        "recall": report.accuracy.recall,
        "drift_events": len(report.drift.others) + (report.drift.found is not None),
        "trace": [
            {
                "uid": step.uid,
                "source": step.source,
                "worker": step.worker,
                "worker_version": step.worker_version,
                "schema": step.schema_name,
                "schema_version": step.schema_version,
                "parents": list(step.parents),
            }
            for step in (report.trace.steps if report.trace else ())
        ],
    }
    return json.dumps(said, ensure_ascii=False)
