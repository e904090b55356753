"""The hash chain: what makes a change to the stored graph show.

Each record that a store takes in becomes a link of the chain of its lane. The link's body holds
a keyed digest of every activity and every message that the record made, as they stand in the
graph; the link's digest covers its body, its place and the digest of the link before it. So
nothing can be changed, taken out, put in or moved without the key. What was done to the store
itself, holds and retention, is a chain of its own (:data:`ACTS`).

Digests are BLAKE2b with a key (RFC 7693). Without a key they show accidents, not intent. What a
chain proves and what it does not: docs/decisions/0014-a-chain-made-at-the-sink.md.
"""

import json
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b, sha256
from typing import Any, NamedTuple

from lineage.model import Activity, Batch, Entity, Finding, Graph, StampedRecord
from lineage.transaction import Transaction

ACTS = "ACTS"
"""The lane of what was done to the store: holds, releases and retention."""

START = bytes(32)
"""What stands for the link before the first."""

_LEAF = struct.Struct(">hq16s")
_NO_LAYER = -1
_ACTIVITY = -2
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class Leaf(NamedTuple):
    """What a link says of one message or activity; ``digest`` has 16 bytes.

    ``layer`` and ``ts`` tell whether retention may have removed it; ``layer`` is None for a
    message of no layer, and for an activity.
    """

    layer: int | None
    ts: int
    digest: bytes
    is_activity: bool = False


class Link(NamedTuple):
    """One link: the ``n``-th of its lane, from 1 on. ``key`` names the key and says nothing of it.

    ``record`` is the uid of the ``LINEAGE`` entry, or of an act.
    """

    lane: str
    n: int
    record: str
    body: bytes
    digest: bytes
    key: str


class ChainKey:
    """Makes digests with a secret of any length; an empty one is allowed, and protects little."""

    def __init__(self, secret: bytes = b"") -> None:
        key = sha256(b"penstock lineage chain\0" + secret).digest()
        self._leaf = blake2b(key=key, digest_size=16)
        self._link = blake2b(key=key, digest_size=32, person=b"penstock link")
        self.name = blake2b(b"name", key=key, digest_size=4).hexdigest()

    def leaf(self, row: Sequence[Any]) -> bytes:
        """The digest of a row of the graph."""
        digest = self._leaf.copy()
        digest.update(_encode(row).encode())
        return digest.digest()

    def link(self, before: bytes, lane: str, n: int, record: str, body: bytes) -> Link:
        """The link that follows one with the digest ``before``."""
        place = _encode([lane, n, record]).encode()
        digest = self._link.copy()
        digest.update(before + len(place).to_bytes(4, "big") + place + body)
        return Link(lane, n, record, body, digest.digest(), self.name)


class Sealed(NamedTuple):
    """The activities and messages of some records, from a store or a woven graph."""

    activities: Iterable[Activity]
    entities: Iterable[Entity]
    findings: Mapping[str, Finding]
    parents: Mapping[str, Sequence[str]]
    flagged: Mapping[str, Sequence[str]]
    agents: Mapping[str, Sequence[str]]
    supersedes: Mapping[str, Sequence[str]]
    batches: Iterable[Batch] = ()

    def leaves(self, key: ChainKey) -> Iterator[tuple[str, str, Leaf]]:
        """Each activity, message and batch: the record that made it, its own id, and its leaf."""
        records: dict[str | None, str] = {}
        for activity in self.activities:
            records[activity.id] = activity.record
            digest = key.leaf([activity, sorted(self.agents.get(activity.id, ()))])
            yield activity.record, activity.id, Leaf(None, activity.at_ms, digest, True)
        for entity in self.entities:
            uid = entity.id
            row: list[Any] = [entity, sorted(self.parents.get(uid, ()))]
            if uid in self.findings:
                row += [self.findings[uid], sorted(self.flagged.get(uid, ()))]
            if uid in self.supersedes:
                row.append({"supersedes": sorted(self.supersedes[uid])})
            yield records[entity.activity], uid, Leaf(entity.layer, entity.ts, key.leaf(row))
        for batch in self.batches:
            digest = key.leaf(["batch", *batch[:-1], batch.members.hex()])
            yield records[batch.activity], batch.id, Leaf(batch.layer, batch.until_ts, digest)


def sealed(graph: Graph) -> Sealed:
    """What of a woven graph its own records answer for."""
    return Sealed(
        activities=graph.activities,
        entities=(entity for entity in graph.entities if entity.activity is not None),
        findings={finding.id: finding for finding in graph.findings},
        parents=grouped(graph.derived),
        flagged=grouped(graph.flagged),
        agents=grouped(graph.associated),
        supersedes=grouped(graph.supersedes),
        batches=graph.batches,
    )


def grouped(edges: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The second ends of edges by their first.

    >>> grouped([("a", "x"), ("a", "y")])
    {'a': ['x', 'y']}
    """
    found: dict[str, list[str]] = defaultdict(list)
    for start, end in edges:
        found[start].append(end)
    return dict(found)


def pack(leaves: Iterable[Leaf]) -> bytes:
    """The body of a link."""
    return b"".join(_LEAF.pack(_layer(leaf), leaf.ts, leaf.digest) for leaf in leaves)


def unpack(body: bytes) -> list[Leaf]:
    """The leaves of a body; raises ValueError for bytes that are none.

    >>> leaf = Leaf(3, 17, bytes(16))
    >>> unpack(pack([leaf])) == [leaf]
    True
    """
    if len(body) % _LEAF.size:
        raise ValueError(f"the body of a link has {len(body)} bytes, no whole number of leaves")
    return [
        Leaf(layer if layer >= 0 else None, ts, digest, layer == _ACTIVITY)
        for layer, ts, digest in _LEAF.iter_unpack(body)
    ]


def _layer(leaf: Leaf) -> int:
    if leaf.is_activity:
        return _ACTIVITY
    return _NO_LAYER if leaf.layer is None else leaf.layer


def new_records(transaction: Transaction, records: Sequence[StampedRecord]) -> list[StampedRecord]:
    """Those that the store has not taken in before, each once; locks the chains they go to."""
    by_uid = {stamped.uid: stamped for stamped in reversed(records)}
    for lane in sorted({lane_of(uid) for uid in by_uid}):
        transaction.rows("chain_head", lane=lane)
    known = transaction.rows("chain_known", records=list(by_uid))
    for row in known:
        del by_uid[row["record"]]
    return list(reversed(by_uid.values()))


def extend(
    transaction: Transaction, key: ChainKey, records: Sequence[StampedRecord], graph: Graph
) -> None:
    """Add the links of new records, in their order, to the chains of their lanes."""
    bodies: dict[str, list[Leaf]] = {stamped.uid: [] for stamped in records}
    for record, _, leaf in sealed(graph).leaves(key):
        bodies[record].append(leaf)
    by_lane: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
    for uid, leaves in bodies.items():
        by_lane[lane_of(uid)].append((uid, pack(leaves)))
    for lane, items in by_lane.items():
        append(transaction, key, lane, items)


def append(
    transaction: Transaction, key: ChainKey, lane: str, items: Iterable[tuple[str, bytes]]
) -> None:
    """Add links with these records and bodies to the chain of a lane."""
    head = transaction.rows("chain_head", lane=lane)
    n, before = (head[0]["n"], bytes(head[0]["digest"])) if head else (0, START)
    links: list[Link] = []
    for record, body in items:
        n += 1
        links.append(key.link(before, lane, n, record, body))
        before = links[-1].digest
    transaction.many("chain_append", [link._asdict() for link in links])


def lane_of(record: str) -> str:
    """The lane that a record's link belongs to: the stream key of its ``LINEAGE`` entry.

    >>> lane_of("LINEAGE{2}/1732100000000-0")
    'LINEAGE{2}'
    """
    return record.rpartition("/")[0]
