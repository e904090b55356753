"""Whether the nodes and spans of messages in batches are what their batches say.

A batch has a leaf in its link; the nodes of its messages have none, since they may come much later.
Each of them is compared with what the batch says of it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal

from lineage.batches import spans_of
from lineage.members import Found, Stored
from lineage.model import Batch, Entity, Span
from lineage.store import LineageStore
from lineage.weave import Loom

Sort = Literal["changed", "removed", "added", "broken", "other key"]
Wrong = tuple[Sort, str, str]
"""A sort of fault, where, and what."""


def members_wrong(
    store: LineageStore, records: Sequence[str], batches: Iterable[Batch], odd: Collection[str]
) -> Iterator[Wrong]:
    """What is wrong with what hangs on the batches of some records; not on those that are ``odd``,
    which are not what was written themselves."""
    sound = [Stored(batch._asdict()) for batch in batches if batch.id not in odd]
    if not sound:
        return
    by_id = {stored.batch.id: stored for stored in sound}
    for row in store.inspect("sealed_members", records=records):
        if row["batch"] in by_id:
            yield from _node_wrong(by_id[row["batch"]], row)
    yield from _spans_wrong(store, records, by_id)
    uids = sorted(uid for stored in sound for uid in stored.by_uid)
    for row in store.inspect("sealed_nodes", uids=uids):
        yield "changed", row["uid"], "it is in a batch, and its node is not"


def _node_wrong(stored: Stored, row: dict[str, Any]) -> Iterator[Wrong]:
    uid = row["id"]
    member = stored.by_uid.get(uid)
    if member is None:
        yield "added", uid, f"it is none of the messages of {stored.batch.id}"
        return
    loom = Loom(stored.layers)
    loom.add_member(stored.batch, uid, Found(stored, member).output)
    (said,) = [entity for entity in loom.graph().entities if entity.id == uid]
    there = Entity(**{name: row[name] for name in Entity._fields})
    if there != said or row["parents"] != sorted(set(member.parents)):
        yield "changed", uid, f"it is not as {stored.batch.id} says"


def _spans_wrong(
    store: LineageStore, records: Sequence[str], by_id: dict[str, Stored]
) -> Iterator[Wrong]:
    there: dict[str, set[Span]] = {}
    for row in store.inspect("sealed_spans", records=records):
        there.setdefault(row["batch"], set()).add(Span(**row))
    for batch, stored in by_id.items():
        if there.get(batch, set()) != set(spans_of(stored.batch)):
            yield "changed", batch, "it is not found where its messages are"
