"""Gives messages of batches nodes of their own, once something that has a node needs them.

The promise that all named queries rest on: what a node was made from has nodes, up to the sources.
So whatever a store takes in, the messages that it mentions are looked for in batches, and those
that are found become nodes, with what they were made from in turn. It does not matter which came
first, the batch or what was made of it.
"""

from collections.abc import Collection, Iterable

from lineage.batches import members_of
from lineage.members import Found, Members, Rows
from lineage.model import OWN, Batch, Graph
from lineage.weave import Loom


def needed(rows: Rows, graph: Graph) -> Graph:
    """What has to be a node now that a store has a piece of the graph; empty if nothing more.

    ``graph`` is in the store already, in the same transaction.
    """
    members = Members(rows)
    if not graph.batches and not members.any():
        return Graph()
    wanted = {entity.id for entity in graph.entities if entity.described_by != OWN}
    touched = {uid for batch in graph.batches for uid in _touched(batch)}
    return materialised(members, wanted | members.nodes(touched).keys())


def materialised(members: Members, uids: Collection[str]) -> Graph:
    """The nodes and edges of some messages, and all they were made from, that stand in batches.

    Messages that have their own description already are left alone, with what is above them.
    """
    layers: dict[str, int] = {}
    loom = Loom(layers)
    todo, seen = set(uids), set(uids)
    while todo:
        done = {uid for uid, by in members.nodes(todo).items() if by == OWN}
        found = members.of(todo - done)
        for uid, each in found.items():
            layers |= each.stored.layers
            loom.add_member(each.stored.batch, uid, each.output)
        _hint(loom, layers, members, todo - done - found.keys())
        todo = {parent for each in found.values() for parent in each.member.parents} - seen
        seen |= todo
    return loom.graph()


def _hint(loom: Loom, layers: dict[str, int], members: Members, uids: set[str]) -> None:
    """Let messages without a record be described by those of batches that were made from them."""
    for each in by_uid(members.made_from(uids)):
        layers |= each.stored.layers
        for parent in uids & set(each.member.parents):
            loom.mention(parent)
        if each.member.parents[0] in uids:
            loom.tell_of_parent(each.uid, each.output)


def by_uid(found: dict[str, Found]) -> Iterable[Found]:
    """In the order of their uids, so that the first that tells something is the one that counts."""
    return (found[uid] for uid in sorted(found))


def _touched(batch: Batch) -> Iterable[str]:
    members, _ = members_of(batch)
    for member in members:
        yield f"{batch.key}/{member.entry}"
        yield from member.parents
