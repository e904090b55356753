"""The provenance graph in the words of W3C PROV: what its nodes and edges are.

==============  ==============================================================  ==============
node            what it stands for                                              id
==============  ==============================================================  ==============
``Entity``      a message: an entry of any stream, side streams included        its uid
``Activity``    a worker's work on one commit                                   see below
``Agent``       who is answerable: a worker, or a producer (its ``source``)     ``kind/name``
``Finding``     an Entity that says something about other messages: an          its uid
                anomaly, a drift, a rejection or a dead letter
``Batch``       messages of one commit that are alike, and have no node each    its first uid
                                                                                and last id
==============  ==============================================================  ==============

========================================  ====================================================
edge                                      W3C PROV
========================================  ====================================================
Entity ``DERIVED_FROM`` Entity            wasDerivedFrom
Entity ``GENERATED_BY`` Activity          wasGeneratedBy
Activity ``USED`` Entity                  used
Activity ``ASSOCIATED_WITH`` Agent        wasAssociatedWith
Finding ``FLAGGED`` Entity                wasInfluencedBy, inverse
Entity ``SUPERSEDES`` Entity              wasRevisionOf (a derivation with ``prov:Revision``)
Entity ``MEMBER_OF`` Batch                hadMember, inverse
Batch ``GENERATED_BY`` Activity           wasGeneratedBy
========================================  ====================================================

A finding is a message as well, so it is an Entity that is a Finding too. A message released
from ``SHRINK`` derives from the entry of ``SHRINK``, which derives from the rejected message:
its history goes through. A message that a replay published derives from what its worker made it
of, and supersedes the one that the worker made of the same before.

**Batches.** What a worker with ``lineage: batch`` made stands in batches (``lineage.batches``).
A message of a batch becomes an Entity, ``MEMBER_OF`` it, when anything that is an Entity was made
from it, flags it or supersedes it, and then so do all messages that it was made from in turn. So
the ancestors of an Entity are Entities, and what was made from a message without a node has none.

**No supernodes.** An Activity is named by worker, run and the uid of the ``LINEAGE`` entry, so
that a redelivered entry names the same one, and covers at most
:data:`MESSAGES_PER_ACTIVITY` messages; a larger commit becomes several, numbered. Tenant,
classification, stream and the like are properties, never nodes.

**What is known of a message** comes from three places, and the better one wins whatever the
order of arrival; ``described_by`` says which it was:

1. its own record (``described_by`` is the empty string): everything in it holds;
2. the record of a message made from it alone, and that is no anomaly or drift
   (``described_by`` is that message's uid, the smallest when there are several): tenant,
   classification, ROE hash, source and producer id. This is how producers' messages get theirs,
   which no worker of ours has written;
3. its uid (``described_by`` is None): stream, lane, layer and time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.lineage_record import LineageRecord

DEPTH = 24
"""How many derivations a named query follows; each layer of a pipeline costs two."""

MESSAGES_PER_ACTIVITY = 10_000
"""How many messages one Activity may touch, made and used ones together."""

OWN = ""
"""The ``described_by`` of a message whose own record is known. Sorts before every uid."""


@dataclass(frozen=True, slots=True)
class StampedRecord:
    """A record with what only the server knew: its own uid and its outputs' entry ids.

    ``ids`` has one entry id an output, in order, None for an output that was not emitted.
    """

    uid: str
    record: LineageRecord
    ids: Sequence[str | None]


class Entity(NamedTuple):
    """A message. ``ts`` is the time in its entry id, ``activity`` the id of what made it.

    ``roe_hash`` is the keyed hash of the ROE token in its payload; the token is nowhere.
    """

    id: str
    stream: str
    lane: int
    layer: int | None
    ts: int
    described_by: str | None = None
    activity: str | None = None
    schema_name: str | None = None
    schema_version: str | None = None
    tenant: str | None = None
    classification: str | None = None
    class_rank: int | None = None
    source: str | None = None
    producer_id: str | None = None
    roe_hash: str | None = None


class Activity(NamedTuple):
    """A worker's work on one commit. ``record`` is the uid of the ``LINEAGE`` entry."""

    id: str
    worker: str
    worker_kind: str
    worker_version: str
    host: str
    run: str
    at_ms: int
    record: str


class Agent(NamedTuple):
    """Who is answerable. ``kind`` is ``worker`` or ``producer``."""

    id: str
    kind: str
    name: str


class Finding(NamedTuple):
    """What makes an Entity a Finding; ``id`` is the Entity's."""

    id: str
    kind: str
    detector: str
    severity: str | None
    summary: str


class Batch(NamedTuple):
    """``n`` messages of one commit with the entry ids ``first`` to ``last`` of the stream ``key``.

    Another batch of the same commit may lie in between. ``ts`` and ``until_ts`` are the times of
    the first and the last; ``members`` is packed, see ``lineage.batches``.
    """

    id: str
    key: str
    stream: str
    lane: int
    layer: int | None
    first: str
    last: str
    n: int
    ts: int
    until_ts: int
    activity: str
    schema_name: str | None
    schema_version: str | None
    tenant: str | None
    classification: str | None
    class_rank: int | None
    source: str | None
    members: bytes


class Span(NamedTuple):
    """Where ``n`` messages of one side of a batch lie: entry ids as text that sorts, one bucket."""

    batch: str
    side: str
    key: str
    bucket: int
    first: str
    last: str
    n: int


Edge = tuple[str, str]
"""The ids of an edge's two ends, in the direction of its name."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A piece of the graph: nodes by id and edges, each sorted and without repetition.

    Every id that an edge names is among the nodes. ``GENERATED_BY`` is the Entities'
    ``activity``. Edges: ``derived`` (child, parent), ``used`` (Activity, Entity),
    ``associated`` (Activity, Agent), ``flagged`` (Finding, Entity), ``supersedes`` (the Entity that
    took the place, the one whose place it was), ``members`` (Entity, Batch).
    """

    entities: tuple[Entity, ...] = ()
    activities: tuple[Activity, ...] = ()
    agents: tuple[Agent, ...] = ()
    findings: tuple[Finding, ...] = ()
    derived: tuple[Edge, ...] = ()
    used: tuple[Edge, ...] = ()
    associated: tuple[Edge, ...] = ()
    flagged: tuple[Edge, ...] = ()
    supersedes: tuple[Edge, ...] = ()
    members: tuple[Edge, ...] = ()
    batches: tuple[Batch, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def generated(self) -> tuple[Edge, ...]:
        """The ``GENERATED_BY`` edges (Entity, Activity)."""
        return tuple((entity.id, entity.activity) for entity in self.entities if entity.activity)


def better(known: Entity, told: Entity) -> Entity:
    """Choose between two descriptions of one message; the order of the two does not matter.

    >>> bare = Entity("L3/1-0", "L3", 0, 3, 1)
    >>> own = bare._replace(described_by=OWN, tenant="acme")
    >>> better(own, bare) is better(bare, own) is own
    True
    """
    if told.described_by is None:
        return known
    if known.described_by is None or told.described_by < known.described_by:
        return told
    return known
