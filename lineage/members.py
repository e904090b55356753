"""Finds messages in batches: by their uid, and by what they were made from."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from lineage.batches import MADE, USED, Member, members_of, output_of, place
from lineage.model import Batch
from schemas.lineage_record import LineageOutput

Rows = Callable[..., list[dict[str, Any]]]
"""Runs a statement of ``batches.sql`` or ``batches.cypher``: ``inspect`` of a store, or ``rows`` of
a transaction."""

_ACTIVITY = ("worker", "worker_kind", "worker_version", "host", "run", "at_ms")


class Stored:
    """A batch of a store, unpacked when it is looked into."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.made_by: dict[str, Any] = {name: row.get(name) for name in _ACTIVITY}
        self.batch = Batch(**{name: row[name] for name in Batch._fields})

    @cached_property
    def _unpacked(self) -> tuple[list[Member], dict[str, int]]:
        return members_of(self.batch)

    @property
    def members(self) -> Sequence[Member]:
        """Its messages, in their order."""
        return self._unpacked[0]

    @cached_property
    def layers(self) -> dict[str, int]:
        """The layers of the streams that its messages and their parents are of."""
        own = {} if self.batch.layer is None else {self.batch.stream: self.batch.layer}
        return {**self._unpacked[1], **own}

    def uid(self, member: Member) -> str:
        """A message's uid."""
        return f"{self.batch.key}/{member.entry}"

    def found(self) -> "list[Found]":
        """Its messages, as what is found."""
        return [Found(self, member) for member in self.members]

    @cached_property
    def by_uid(self) -> dict[str, Member]:
        """Its messages."""
        return {self.uid(member): member for member in self.members}

    @cached_property
    def children(self) -> dict[str, list[Member]]:
        """Its messages by what they were made from."""
        found: dict[str, list[Member]] = {}
        for member in self.members:
            for parent in set(member.parents):
                found.setdefault(parent, []).append(member)
        return found


class Found(NamedTuple):
    """A message of a batch."""

    stored: Stored
    member: Member

    @property
    def uid(self) -> str:
        """Its uid."""
        return self.stored.uid(self.member)

    @property
    def output(self) -> LineageOutput:
        """What its record said of it."""
        return output_of(self.stored.batch, self.member)


class Members:
    """Looks messages up in the batches of a store, each of which is fetched once."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._stored: dict[str, Stored] = {}

    def any(self) -> bool:
        """Whether the store has a batch at all."""
        return bool(self._rows("batches_any"))

    def of(self, uids: Collection[str]) -> dict[str, Found]:
        """Those of some messages that are in a batch, whether they have a node or not."""
        return {
            uid: Found(stored, stored.by_uid[uid])
            for stored in self._at(MADE, uids)
            for uid in stored.by_uid.keys() & set(uids)
        }

    def made_from(self, uids: Collection[str]) -> dict[str, Found]:
        """The messages of batches that have one of some messages as a parent."""
        return {
            stored.uid(member): Found(stored, member)
            for stored in self._at(USED, uids)
            for uid in stored.children.keys() & set(uids)
            for member in stored.children[uid]
        }

    def nodes(self, uids: Collection[str]) -> dict[str, str | None]:
        """Those of some messages that have a node, with what each is described by."""
        if not uids:
            return {}
        rows = self._rows("known", uids=sorted(uids))
        return {row["uid"]: row["described_by"] for row in rows}

    def without_node(self, found: dict[str, Found]) -> dict[str, Found]:
        """Those that have no node."""
        nodes = self.nodes(found)
        return {uid: each for uid, each in found.items() if uid not in nodes}

    def batches(self, ids: Iterable[str]) -> list[Stored]:
        """Batches by their ids."""
        wanted = list(ids)
        missing = [batch for batch in wanted if batch not in self._stored]
        if missing:
            found = map(Stored, self._rows("batches_of", ids=missing))
            self._stored |= {stored.batch.id: stored for stored in found}
        return [self._stored[batch] for batch in wanted if batch in self._stored]

    def _at(self, side: str, uids: Collection[str]) -> list[Stored]:
        if not uids:
            return []
        places = sorted({(key, bucket, at) for key, at, bucket in map(place, uids)})
        rows = self._rows("batches_at", side=side, places=[list(each) for each in places])
        return self.batches(row["id"] for row in rows)
