"""From the records of commits to a piece of the graph. Pure: no store, no clock."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lineage.batches import Emitted, batch_of, parted, spans_of
from lineage.model import (
    MESSAGES_PER_ACTIVITY,
    OWN,
    Activity,
    Agent,
    Batch,
    Edge,
    Entity,
    Finding,
    Graph,
    StampedRecord,
    better,
)
from lineage.uid import place_of
from schemas.lineage_record import LineageFinding, LineageOutput, LineageRecord
from schemas.security import Classification

_RANK = {classification: classification.rank for classification in Classification}
_OBSERVATIONS = frozenset({"anomaly", "drift"})

_Circumstances = tuple[str | None, str | None, int | None, str | None, str | None, str | None]
_NOTHING: _Circumstances = (None,) * 6


def weave(records: Iterable[StampedRecord], layers: Mapping[str, int]) -> Graph:
    """Turn records into the piece of the graph that they describe.

    ``layers`` gives the layer of a bare stream name; streams that it lacks have none. The
    result depends neither on the order of the records nor on repetitions among them.
    """
    loom = Loom(layers)
    for stamped in records:
        loom.add(stamped)
    return loom.graph()


def graph_of(
    uid: str, record: LineageRecord, ids: Sequence[str | None], layers: Mapping[str, int]
) -> Graph:
    """Turn one record into its piece of the graph; ``uid`` is that of its ``LINEAGE`` entry."""
    return weave([StampedRecord(uid, record, ids)], layers)


class Loom:
    """Collects nodes and edges while records, or messages of batches, are added."""

    def __init__(self, layers: Mapping[str, int]) -> None:
        self._layers = layers
        self._entities: dict[str, Entity] = {}
        self._activities: dict[str, Activity] = {}
        self._agents: set[Agent] = set()
        self._findings: dict[str, Finding] = {}
        self._derived: set[Edge] = set()
        self._used: set[Edge] = set()
        self._associated: set[Edge] = set()
        self._flagged: set[Edge] = set()
        self._supersedes: set[Edge] = set()
        self._members: set[Edge] = set()
        self._batches: dict[str, Batch] = {}

    def add(self, stamped: StampedRecord) -> None:
        """Add what a record describes."""
        record = stamped.record
        base = f"{record.worker}:{record.run}:{stamped.uid}"
        for number, part in enumerate(_parts(stamped)):
            activity = f"{base}:{number}" if number else base
            self._activities[activity] = _activity(activity, stamped)
            self._associate(activity, "worker", record.worker)
            alone, groups = parted(record, part, self._layers)
            for uid, output in alone:
                self._add_output(activity, uid, output)
            for group in groups:
                self._add_batch(batch_of(activity, group, self._layers))

    def add_member(self, batch: Batch, uid: str, output: LineageOutput) -> None:
        """Add a message of a batch that is known already, and what it was made from."""
        self._add_output(batch.activity, uid, output)
        self._members.add((uid, batch.id))

    def tell_of_parent(self, uid: str, output: LineageOutput) -> None:
        """Add what a message that has no node tells of the one that it was made from alone."""
        told = _circumstances(output)
        if _speaks_of_parent(output, told):
            self.mention(output.parents[0])
            known = self._entities[output.parents[0]]
            stream, lane, layer = known.stream, known.lane, known.layer
            self._tell(
                Entity(known.id, stream, lane, layer, known.ts, uid, None, None, None, *told)
            )

    def graph(self) -> Graph:
        """All that was added."""
        return Graph(
            entities=tuple(sorted(self._entities.values())),
            activities=tuple(sorted(self._activities.values())),
            agents=tuple(sorted(self._agents)),
            findings=tuple(sorted(self._findings.values())),
            derived=tuple(sorted(self._derived)),
            used=tuple(sorted(self._used)),
            associated=tuple(sorted(self._associated)),
            flagged=tuple(sorted(self._flagged)),
            supersedes=tuple(sorted(self._supersedes)),
            members=tuple(sorted(self._members)),
            batches=tuple(sorted(self._batches.values(), key=lambda batch: batch.id)),
            spans=tuple(sorted(s for batch in self._batches.values() for s in spans_of(batch))),
        )

    def _add_batch(self, batch: Batch) -> None:
        self._batches[batch.id] = batch
        if batch.source is not None:
            self._associate(batch.activity, "producer", batch.source)

    def _add_output(self, activity: str, uid: str, output: LineageOutput) -> None:
        told = _circumstances(output)
        self._tell(self._own(activity, uid, output, told))
        for parent in output.parents:
            self.mention(parent)
            self._derived.add((uid, parent))
            self._used.add((activity, parent))
        self.tell_of_parent(uid, output)
        for older in output.supersedes:
            self.mention(older)
            self._supersedes.add((uid, older))
        if output.source is not None:
            self._associate(activity, "producer", output.source)
        if output.finding is not None:
            self._add_finding(uid, output.finding)

    def _add_finding(self, uid: str, finding: LineageFinding) -> None:
        severity = finding.severity.value if finding.severity else None
        self._findings[uid] = Finding(
            uid, finding.kind, finding.detector, severity, finding.summary
        )
        for flagged in finding.flagged:
            self.mention(flagged)
            self._flagged.add((uid, flagged))

    def _associate(self, activity: str, kind: str, name: str) -> None:
        agent = Agent(f"{kind}/{name}", kind, name)
        self._agents.add(agent)
        self._associated.add((activity, agent.id))

    def _tell(self, told: Entity) -> None:
        known = self._entities.get(told.id)
        self._entities[told.id] = told if known is None else better(known, told)

    def mention(self, uid: str) -> None:
        """Let a message be known by its uid alone, unless more is known already."""
        if uid not in self._entities:
            self._entities[uid] = self._placed(uid)

    def _own(self, activity: str, uid: str, output: LineageOutput, told: _Circumstances) -> Entity:
        return self._placed(uid, OWN, activity, output.schema_name, output.schema_version, *told)

    def _placed(self, uid: str, *known: Any) -> Entity:
        stream, lane, ts = place_of(uid)
        return Entity(uid, stream, lane, self._layers.get(stream), ts, *known)


def _parts(stamped: StampedRecord) -> Iterator[list[Emitted]]:
    """Split what was emitted so that no part touches more messages than an Activity may."""
    part: list[Emitted] = []
    touched = 0
    for output, entry in zip(stamped.record.outputs, stamped.ids, strict=True):
        if entry is None:
            continue
        touches = 1 + len(output.parents)
        if part and touched + touches > MESSAGES_PER_ACTIVITY:
            yield part
            part, touched = [], 0
        part.append((f"{output.stream}/{entry}", output))
        touched += touches
    if part:
        yield part


def _activity(activity: str, stamped: StampedRecord) -> Activity:
    record = stamped.record
    return Activity(
        id=activity,
        worker=record.worker,
        worker_kind=record.worker_kind,
        worker_version=record.worker_version,
        host=record.host,
        run=record.run,
        at_ms=record.at_ms,
        record=stamped.uid,
    )


def _speaks_of_parent(output: LineageOutput, told: _Circumstances) -> bool:
    """Tell whether an output's circumstances are those of the one message it was made from."""
    if len(output.parents) != 1:
        return False
    if output.finding is not None and output.finding.kind in _OBSERVATIONS:
        return False
    return told != _NOTHING


def _circumstances(output: LineageOutput) -> _Circumstances:
    """What a message passes on to the ones made from it, in the order of Entity's fields."""
    classification = output.classification
    return (
        output.tenant,
        classification.value if classification else None,
        _RANK[classification] if classification else None,
        output.source,
        output.producer_id,
        output.roe_hash,
    )
