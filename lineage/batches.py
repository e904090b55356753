"""Batches: one node for many messages of a commit that are alike, from which each comes back whole.

A worker with ``lineage: batch`` marks its records so. What such a commit emitted to one stream with
the same schema, tenant, classification and producer becomes one :class:`Batch`: its range of entry
ids, its count, and packed, each message's id and parents. A message of a batch has no node until
something that has one needs it (``lineage.materialise``). A finding, a message that supersedes
another, one without parents, of layer 7 or above, or in the sample has a node at once, and so has
each of fewer than :data:`LEAST_MEMBERS` that are alike, which are no batch.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from lineage.errors import StoreError
from lineage.model import Batch, Span
from lineage.uid import bare_stream, place_of
from schemas.lineage_record import LineageOutput, LineageRecord
from schemas.security import Classification
from schemas.topology_lineage import OWN_NODE_FROM

LEAST_MEMBERS = 4
"""Fewer messages than these cost less as nodes of their own."""

BUCKET_BITS = 12
"""Spans are cut at multiples of 2**12 ms, so that few have to be looked at to find a message."""

MADE, USED = "made", "used"
"""The sides of a batch: its own messages, and those they were made from."""

Emitted = tuple[str, LineageOutput]
"""A message's uid, and what its record says of it."""


class Member(NamedTuple):
    """A message of a batch: its entry id, and what it does not share with the others."""

    entry: str
    parents: tuple[str, ...]
    producer_id: str | None = None
    roe_hash: str | None = None


def parted(
    record: LineageRecord, emitted: Sequence[Emitted], layers: Mapping[str, int]
) -> tuple[list[Emitted], list[list[Emitted]]]:
    """What of a commit has a node of its own, and what goes together in batches."""
    if record.grain == "message":
        return list(emitted), []
    alone: list[Emitted] = []
    alike: dict[tuple[object, ...], list[Emitted]] = defaultdict(list)
    for uid, output in emitted:
        if _stands_alone(uid, output, record.sample, layers):
            alone.append((uid, output))
        else:
            alike[_shared(output)].append((uid, output))
    for group in alike.values():
        alone += group if len(group) < LEAST_MEMBERS else []
    return alone, [group for group in alike.values() if len(group) >= LEAST_MEMBERS]


def batch_of(activity: str, group: Sequence[Emitted], layers: Mapping[str, int]) -> Batch:
    """The batch of messages that are alike."""
    ordered = sorted(group, key=lambda emitted: place(emitted[0])[1])
    first, last = ordered[0][0], ordered[-1][0]
    output = ordered[0][1]
    stream, lane = bare_stream(output.stream)
    classification = output.classification
    return Batch(
        id=f"{first}..{entry_of(last)}",
        key=output.stream,
        stream=stream,
        lane=lane,
        layer=layers.get(stream),
        first=entry_of(first),
        last=entry_of(last),
        n=len(ordered),
        ts=place_of(first).ts,
        until_ts=place_of(last).ts,
        activity=activity,
        schema_name=output.schema_name,
        schema_version=output.schema_version,
        tenant=output.tenant,
        classification=classification.value if classification else None,
        class_rank=classification.rank if classification else None,
        source=output.source,
        members=_packed(ordered, layers),
    )


def members_of(batch: Batch) -> tuple[list[Member], dict[str, int]]:
    """The messages of a batch in their order, and the layers of the streams they came from.

    Raises :class:`lineage.errors.StoreError` for what is no batch any more.
    """
    try:
        return _unpacked(batch.members)
    except (zlib.error, ValueError, TypeError) as error:
        raise StoreError(
            f"the batch {batch.id!r} of the lineage store can't be read; was it changed? "
            "'penstock lineage verify' tells"
        ) from error


def output_of(batch: Batch, member: Member) -> LineageOutput:
    """What the record of a batch said of one of its messages."""
    classification = batch.classification
    return LineageOutput.model_construct(
        stream=batch.key,
        parents=member.parents,
        schema_name=batch.schema_name,
        schema_version=batch.schema_version,
        tenant=batch.tenant,
        classification=Classification(classification) if classification else None,
        source=batch.source,
        producer_id=member.producer_id,
        roe_hash=member.roe_hash,
        finding=None,
        supersedes=(),
        alike=(),
    )


def spans_of(batch: Batch) -> Iterator[Span]:
    """Where the messages of a batch lie, and those they were made from: by stream and bucket."""
    members, _ = members_of(batch)
    yield from _spans(batch.id, MADE, (f"{batch.key}/{member.entry}" for member in members))
    yield from _spans(batch.id, USED, (uid for member in members for uid in member.parents))


def place(uid: str) -> tuple[str, str, int]:
    """A message's stream key, its entry id as text that sorts by time, and its bucket.

    >>> place("L3{2}/8192-7")[2]
    2
    >>> place("L3/9-10")[1] > place("L3/9-9")[1]
    True
    """
    key, _, entry = uid.rpartition("/")
    ms, _, seq = entry.partition("-")
    return key, f"{ms.zfill(20)}-{seq.zfill(20)}", int(ms) >> BUCKET_BITS


def entry_of(uid: str) -> str:
    """The entry id in a uid."""
    return uid.rpartition("/")[2]


def _stands_alone(uid: str, output: LineageOutput, sample: int, layers: Mapping[str, int]) -> bool:
    if output.finding is not None or output.supersedes or not output.parents:
        return True
    layer = layers.get(bare_stream(output.stream)[0])
    if layer is not None and layer >= OWN_NODE_FROM:
        return True
    return sample > 0 and zlib.crc32(uid.encode()) % sample == 0


def _shared(output: LineageOutput) -> tuple[object, ...]:
    schema = (output.schema_name, output.schema_version)
    return (output.stream, *schema, output.tenant, output.classification, output.source)


def _packed(group: Sequence[Emitted], layers: Mapping[str, int]) -> bytes:
    rows = [
        (entry_of(uid), output.parents, output.producer_id, output.roe_hash)
        for uid, output in group
    ]
    streams = {bare_stream(uid.rpartition("/")[0])[0] for row in rows for uid in row[1]}
    known = {name: layers[name] for name in sorted(streams) if name in layers}
    return zlib.compress(json.dumps([known, rows], separators=(",", ":")).encode(), 3)


@lru_cache(maxsize=64)  # a batch that is written is looked into several times
def _unpacked(packed: bytes) -> tuple[list[Member], dict[str, int]]:
    layers, rows = json.loads(zlib.decompress(packed))
    return [Member(entry, tuple(parents), *rest) for entry, parents, *rest in rows], layers


def _spans(batch: str, side: str, uids: Iterable[str]) -> Iterator[Span]:
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for key, at, bucket in map(place, set(uids)):
        found[key, bucket].append(at)
    for (key, bucket), places in sorted(found.items()):
        yield Span(batch, side, key, bucket, min(places), max(places), len(places))
