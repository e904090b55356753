"""What the provenance graph says of the messages to be replayed, and of all they were made from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lineage.answers import depth_met
from lineage.store import LineageStore

MOST = 100_000
"""How many messages a replay looks at in the graph."""


@dataclass(frozen=True, slots=True)
class Node:
    """A message: the worker that made it, None for a producer's, and what it was made from."""

    uid: str
    worker: str | None
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Messages by uid, their children, and a sentence where a bound cut the graph."""

    nodes: Mapping[str, Node]
    children: Mapping[str, Sequence[Node]]
    cut: tuple[str, ...] = ()


def ancestry(store: LineageStore, uids: Sequence[str]) -> Ancestry:
    """Ask a store for messages and all they were made from."""
    rows = store.query("ancestry", uids=list(uids), limit=MOST + 1)
    cut = depth_met(rows)
    if len(rows) > MOST:
        cut += (f"only the nearest {MOST:,} messages of the graph were looked at",)
    return ancestry_of(rows[:MOST], cut)


def ancestry_of(rows: Iterable[Mapping[str, Any]], cut: tuple[str, ...] = ()) -> Ancestry:
    """Put the rows of the query ``ancestry`` together."""
    nodes = {row["uid"]: Node(row["uid"], row["worker"], tuple(row["parents"])) for row in rows}
    children: dict[str, list[Node]] = defaultdict(list)
    for node in nodes.values():
        for parent in node.parents:
            children[parent].append(node)
    return Ancestry(nodes, children, cut)
