"""Histories that lead through messages without a node of their own, as rows of named queries.

What a message without a node was made from may have nodes; what was made of it has none (see
``lineage.materialise``). So a history upwards begins in batches and goes on in the graph, and one
downwards the other way round.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from lineage.batches import BUCKET_BITS
from lineage.materialise import by_uid
from lineage.members import Found, Members, Rows
from lineage.model import DEPTH
from lineage.uid import bare_stream, place_of
from lineage.weave import Loom

Row = dict[str, Any]

_TOLD = (
    "schema_name", "schema_version", "tenant", "classification", "source", "producer_id",
)  # fmt: skip
_ACTIVITY = ("worker", "worker_kind", "worker_version", "host", "run", "activity", "at_ms")


class Use(NamedTuple):
    """That a worker made something of a message."""

    uid: str
    stream: str
    worker: str
    worker_kind: str
    worker_version: str
    at_ms: int


class Unfolding:
    """Follows histories through the batches of a store.

    Rows have the columns of ``trace_up``, and ``parents``.
    """

    def __init__(self, inspect: Rows) -> None:
        self.members = Members(inspect)
        self._inspect = inspect

    def up(self, uids: Collection[str]) -> dict[str, Row]:
        """Some messages and all they were made from; those that nothing mentions are left out."""
        rows: dict[str, Row] = {}
        level, solid = set(uids), {}
        for hops in range(DEPTH + 1):
            nodes = self.members.nodes(level)
            solid[hops] = sorted(nodes)
            found = self.members.of(level - nodes.keys())
            rows |= {uid: member_row(each, hops) for uid, each in found.items()}
            rows |= self.sources(level - nodes.keys() - found.keys(), hops)
            level = {parent for each in found.values() for parent in each.member.parents}
            level -= rows.keys()
        for hops, starts in solid.items():
            self._join(rows, starts, hops)
        return rows

    def down(
        self, reached: Mapping[str, Row], most: int = 2**31
    ) -> tuple[dict[str, Row], list[Use]]:
        """What was made in batches, and has no node, of what is ``reached`` and of that in turn.

        With it, which workers made that. Of more than ``most`` those that are nearest are enough.
        """
        rows: dict[str, Row] = {}
        uses: list[Use] = []
        levels: dict[int, dict[str, Row]] = defaultdict(dict)
        for uid, row in reached.items():
            levels[row["hops"]][uid] = row
        for hops in range(DEPTH + 1):
            if len(rows) >= most:
                break
            level = levels[hops]
            found = self.members.without_node(self.members.made_from(level))
            for uid, each in found.items():
                uses += [_use(level[p], each) for p in set(each.member.parents) if p in level]
                if hops < DEPTH and uid not in rows and uid not in reached:
                    rows[uid] = levels[hops + 1][uid] = member_row(each, hops + 1)
        return rows, uses

    def mentioned(self, since: int, until: int, but: Collection[str] = ()) -> dict[str, Row]:
        """Messages of [since, until) ms that batches alone mention, but for those of some streams.

        They are producers' messages, or their record is missing.
        """
        rows = self._inspect("batches_from", since=since >> BUCKET_BITS, until=until >> BUCKET_BITS)
        ids = {row["id"] for row in rows if bare_stream(row["key"])[0] not in but}
        used = {uid for stored in self.members.batches(sorted(ids)) for uid in stored.children}
        places = {uid: place_of(uid) for uid in used}
        inside = {u for u, at in places.items() if since <= at.ts < until and at.stream not in but}
        inside -= self.members.nodes(inside).keys()
        return self.sources(inside - self.members.of(inside).keys())

    def sources(self, uids: Collection[str], hops: int = 0) -> dict[str, Row]:
        """Messages that batches alone mention: what was made from them tells what is known."""
        layers: dict[str, int] = {}
        loom = Loom(layers)
        for each in by_uid(self.members.made_from(uids)):
            layers |= each.stored.layers
            for parent in each.member.parents:
                if parent in uids:
                    loom.mention(parent)
            if each.member.parents[0] in uids:
                loom.tell_of_parent(each.uid, each.output)
        none = dict.fromkeys(_ACTIVITY)
        return {
            entity.id: {**_bare(entity.id, entity.layer, hops), **none}
            | {name: getattr(entity, name) for name in _TOLD}
            for entity in loom.graph().entities
        }

    def _join(self, rows: dict[str, Row], starts: list[str], hops: int) -> None:
        """Add the histories of some nodes that lie so many derivations away."""
        for row in self._inspect("rows_up", uids=starts) if starts else ():
            row["hops"] += hops
            known = rows.get(row["uid"])
            if row["hops"] <= DEPTH and (known is None or known["hops"] > row["hops"]):
                rows[row["uid"]] = row


def member_row(found: Found, hops: int) -> Row:
    """The row of a message in a batch that has no node."""
    batch, member = found.stored.batch, found.member
    told = {name: getattr(batch, name) for name in _TOLD if name != "producer_id"}
    return {
        **_bare(found.uid, batch.layer, hops),
        **found.stored.made_by,
        **told,
        "activity": batch.activity,
        "producer_id": member.producer_id,
        "parents": sorted(set(member.parents)),
    }


def nearest_first(rows: Iterable[Row]) -> list[Row]:
    """In the order in which traces are given."""
    return sorted(rows, key=lambda row: (row["hops"], row["ts"], row["uid"]))


def _bare(uid: str, layer: int | None, hops: int) -> Row:
    stream, lane, ts = place_of(uid)
    empty: Row = {name: [] for name in ("findings", "supersedes", "superseded_by", "parents")}
    return {"uid": uid, "stream": stream, "lane": lane, "layer": layer, "ts": ts, **empty} | {
        "hops": hops
    }


def _use(read: Row, found: Found) -> Use:
    made = found.stored.made_by
    worker = (made["worker"], made["worker_kind"], made["worker_version"])
    return Use(read["uid"], read["stream"], *worker, made["at_ms"])
