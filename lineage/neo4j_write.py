"""How a piece of the graph is written to Neo4j: created where it is new, merged where it is not.

New records make new activities, and what hangs on a new activity is new as well, so nearly all
can be created without a look at what is there. Two things can be there already: messages, which
are asked for first, and, where another writer was quicker or an older release wrote the records,
anything at all. The server then reports a broken constraint, and the whole is merged instead,
which is slower and always right.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from neo4j import ManagedTransaction

from lineage.model import Batch, Edge, Entity, Graph
from lineage.queries import Queries

_Statements = Iterator[tuple[str, Sequence[Any]]]


def create(tx: ManagedTransaction, writes: Queries, graph: Graph) -> None:
    """Write what new records describe.

    Raises ``neo4j.exceptions.ConstraintError`` where something was there after all; the
    transaction is then lost.
    """
    result = tx.run(writes["known_entities"].text, rows=[entity.id for entity in graph.entities])
    _run(tx, writes, _created(graph, {record["id"] for record in result}))


def merge(tx: ManagedTransaction, writes: Queries, graph: Graph) -> None:
    """Write a piece of the graph of which anything may be there."""
    _run(tx, writes, _merged(graph))


def _run(tx: ManagedTransaction, writes: Queries, statements: _Statements) -> None:
    for name, rows in statements:
        if rows:
            tx.run(writes[name].text, rows=rows).consume()


def _created(graph: Graph, known: set[str]) -> _Statements:
    """The statements of ``writes.cypher`` for new records, in order, each with its rows."""
    own: dict[str, list[dict[str, Any]]] = defaultdict(list)
    others, better = [], []
    for entity in graph.entities:
        if entity.id in known:
            better += [_properties(entity)] if entity.described_by is not None else []
        elif entity.activity is None:
            others.append(_properties(entity))
        else:
            own[entity.activity].append(_properties(entity))
    made = [(e.id, e.activity) for e in graph.entities if e.activity and e.id in known]
    yield "agents", _maps(graph.agents)
    yield "new_activities", _maps(graph.activities)
    yield "new_entities", others
    yield "new_outputs", list(own.items())
    yield "better_entities", better
    yield "new_generated", made
    yield "findings", _maps(graph.findings)
    yield "new_derived", _grouped(graph.derived)
    yield "new_used", _grouped(graph.used)
    yield "new_associated", graph.associated
    yield "new_flagged", _grouped(graph.flagged)
    yield "supersedes", graph.supersedes
    yield from _batched(graph)


def _merged(graph: Graph) -> _Statements:
    yield "agents", _maps(graph.agents)
    yield "activities", _maps(graph.activities)
    yield "entities", [_properties(entity) for entity in graph.entities]
    yield "findings", _maps(graph.findings)
    yield "generated", graph.generated
    yield "derived", graph.derived
    yield "used", graph.used
    yield "associated", graph.associated
    yield "flagged", graph.flagged
    yield "supersedes", graph.supersedes
    yield from _batched(graph)


def _batched(graph: Graph) -> _Statements:
    yield "batches", [_batch_row(batch) for batch in graph.batches]
    yield "spans", _maps(graph.spans)
    yield "members", graph.members


def _batch_row(batch: Batch) -> dict[str, Any]:
    properties = batch._asdict()
    del properties["activity"]
    return {"id": batch.id, "activity": batch.activity, "properties": properties}


def _grouped(edges: Sequence[Edge]) -> list[tuple[str, list[str]]]:
    """The edges by their starts, which are looked up once each; both ends in order."""
    ends: dict[str, list[str]] = defaultdict(list)
    for start, end in edges:
        ends[start].append(end)
    return list(ends.items())


def _maps(nodes: Sequence[NamedTuple]) -> list[dict[str, Any]]:
    return [node._asdict() for node in nodes]


def _properties(entity: Entity) -> dict[str, Any]:
    row = entity._asdict()
    del row["activity"]
    return row
