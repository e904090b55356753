"""Whether the stored graph is still what was written: every link, and every row it answers for.

A fault names where it is; what was there before is not stored anywhere else, so it can't be put
right from here. Retention explains what is missing: its cuts are links of :data:`ACTS` themselves.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage.chain import ACTS, START, ChainKey, Leaf, Link, Sealed, grouped, unpack
from lineage.model import Activity, Batch, Entity, Finding
from lineage.store import LineageStore
from lineage.uid import place_of
from lineage.verify_members import Sort, members_wrong

LINKS_AT_ONCE = 20
"""How many links, and what hangs on them, are looked at in one go."""

MOST_FAULTS = 1000
"""How many faults a verification lists before it gives up counting."""

Heads = dict[str, tuple[int, str]]
"""Of each lane, the number of its last link and that link's digest in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written.

    ``changed``, ``removed``, ``added``: a message, an activity or an agent, or one of its edges.
    ``broken``: a link that was changed, moved, or does not follow the one before. ``other key``:
    a link that another key made, of which nothing can be told.
    """

    sort: Sort
    where: str
    what: str


@dataclass
class Verification:
    """What was looked at, what was found, and the heads to keep for the next time."""

    links: int = 0
    rows: int = 0
    retained: int = 0
    faults: list[Fault] = field(default_factory=list)
    heads: Heads = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.faults

    def add(self, sort: Sort, where: str, what: str) -> None:
        """Note a fault, unless there are too many."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(sort, where, what))


def verify(store: LineageStore, key: ChainKey, known: Heads | None = None) -> Verification:
    """Look at a whole store; ``known`` are the heads of an earlier verification.

    A chain that was cut off at its end shows by ``known`` alone. Raises
    :class:`lineage.errors.StoreError` when the store can't be read.
    """
    verifier = _Verifier(store, key, known or {})
    verifier.run()
    return verifier.found


class _Verifier:
    def __init__(self, store: LineageStore, key: ChainKey, known: Heads) -> None:
        self._store = store
        self._key = key
        self._known = known
        self._cuts: dict[str, int] = {}
        self._holds: set[str] = set()
        self.found = Verification()

    def run(self) -> None:
        lanes = [row["lane"] for row in self._store.inspect("chain_lanes")]
        for lane in sorted(lanes, key=lambda lane: (lane != ACTS, lane)):  # cuts come first
            self._lane(lane)
        for lane in sorted(self._known.keys() - set(lanes)):
            self.found.add("removed", lane, "the whole chain of this lane")
        self._compare_holds()
        self._rest()

    def _lane(self, lane: str) -> None:
        n, before = 0, START
        for page in self._pages(lane):
            good: list[Link] = []
            for link in page:
                if self._follows(link, lane, n, before):
                    good.append(link)
                n, before = link.n, link.digest
                self._compare_head(lane, n, before)
            if lane == ACTS:
                self._take_acts(good)
            else:
                self._rows(good)
        self.found.heads[lane] = (n, before.hex())
        if lane in self._known and self._known[lane][0] > n:
            self.found.add("removed", lane, f"the links after {n} of {self._known[lane][0]}")

    def _pages(self, lane: str) -> Iterator[list[Link]]:
        after = 0
        while rows := self._store.inspect(
            "chain_links", lane=lane, after=after, limit=LINKS_AT_ONCE
        ):
            yield [_link(row) for row in rows]
            after = rows[-1]["n"]

    def _follows(self, link: Link, lane: str, n: int, before: bytes) -> bool:
        self.found.links += 1
        if link.n != n + 1:
            self.found.add("removed", lane, f"links {n + 1} to {link.n - 1}")
            return True
        if link.key != self._key.name:
            self.found.add(
                "other key", link.record, f"made with key {link.key}, not {self._key.name}"
            )
            return False
        if self._key.link(before, lane, link.n, link.record, link.body) != link:
            self.found.add("broken", link.record, f"link {link.n} of {lane}")
            return False
        return True

    def _compare_head(self, lane: str, n: int, digest: bytes) -> None:
        if lane in self._known and self._known[lane] == (n, digest.hex()):
            return
        if lane in self._known and self._known[lane][0] == n:
            self.found.add("changed", lane, f"link {n} is not the one that was seen before")

    def _take_acts(self, links: Sequence[Link]) -> None:
        for link in links:
            act = json.loads(link.body)
            for layer, cut in act.get("cuts", {}).items():
                self._cuts[layer] = max(cut, self._cuts.get(layer, cut))
            self._holds |= {act["hold"]} if "hold" in act else set()
            self._holds -= {act["release"]} if "release" in act else set()

    def _compare_holds(self) -> None:
        stored = {row["uid"] for row in self._store.inspect("holds")}
        for uid in sorted(self._holds - stored):
            self.found.add("removed", uid, "a hold")
        for uid in sorted(stored - self._holds):
            self.found.add("added", uid, "a hold")

    def _rows(self, links: Sequence[Link]) -> None:
        """Compare what some links say with what is in the graph."""
        missing = {link.record: Counter(unpack(link.body)) for link in links}
        strange: dict[str, list[str]] = {}
        sealed = stored(self._store, list(missing))
        for record, uid, leaf in sealed.leaves(self._key):
            self.found.rows += 1
            if missing[record][leaf] > 0:
                missing[record][leaf] -= 1
            else:
                strange.setdefault(record, []).append(uid)
        odd = {uid for of_record in strange.values() for uid in of_record}
        for fault in members_wrong(self._store, list(missing), sealed.batches, odd):
            self.found.add(*fault)
        for record, leaves in missing.items():
            self._tell(record, list(leaves.elements()), strange.get(record, []))

    def _tell(self, record: str, missing: list[Leaf], strange: list[str]) -> None:
        gone = [leaf for leaf in missing if not leaf.is_activity and not self._retained(leaf)]
        idle = [leaf for leaf in missing if leaf.is_activity]
        if gone or strange or not self._cuts:
            gone += idle  # an activity goes only with all that it made
        self.found.retained += len(missing) - len(gone)
        for uid in strange[: len(gone)]:
            self.found.add("changed", uid, f"it is not as {record} made it")
        for uid in strange[len(gone) :]:
            self.found.add("added", uid, f"it is none of what {record} made, or was changed")
        if len(gone) > len(strange):
            self.found.add("removed", record, f"{len(gone) - len(strange)} of what it made")

    def _retained(self, leaf: Leaf) -> bool:
        cut = self._cuts.get("none" if leaf.layer is None else str(leaf.layer))
        return cut is not None and leaf.ts < cut

    def _rest(self) -> None:
        """What no link answers for, and what follows from what links answer for."""
        for row in self._store.inspect("unsealed", limit=MOST_FAULTS):
            self.found.add("added", row["id"], f"{row['sort']} of which no link tells")
        for row in self._store.inspect("batches_unsealed", limit=MOST_FAULTS):
            self.found.add("added", row["id"], "batch of which no link tells")
        for name, what in _RULES.items():
            for row in self._store.inspect(name, limit=MOST_FAULTS):
                self.found.add("changed", row["id"], what)
        after = ""
        while rows := self._store.inspect("places", after=after, limit=50_000):
            for row in rows:
                if place_of(row["id"]) != (row["stream"], row["lane"], row["ts"]):
                    self.found.add(
                        "changed", row["id"], "its stream, lane or time is not its uid's"
                    )
            after = rows[-1]["id"]


_RULES = {
    "misread": "it is described otherwise than by the message made from it",
    "misused": "what it used is not what its messages were derived from",
    "misnamed": "its id is not its kind and name",
}


def stored(store: LineageStore, records: list[str]) -> Sealed:
    """What a store has of some records, in the form in which links are made."""
    rows = {name: store.inspect(f"sealed_{name}", records=records) for name in _PARTS}
    return Sealed(
        activities=[Activity(**row) for row in rows["activities"]],
        entities=[Entity(**row) for row in rows["entities"]],
        findings={row["id"]: Finding(**row) for row in rows["findings"]},
        parents=_edges(rows["parents"]),
        flagged=_edges(rows["flagged"]),
        agents=_edges(rows["agents"]),
        supersedes=_edges(rows["supersedes"]),
        batches=[Batch(**row | _raw(row, "members")) for row in rows["batches"]],
    )


def _link(row: Mapping[str, Any]) -> Link:
    """A link as it is stored; what is no bytes any more becomes none, which fits no digest."""
    return Link(**{**row, **_raw(row, "body", "digest")})


def _raw(row: Mapping[str, Any], *names: str) -> dict[str, bytes]:
    return {name: row[name] if isinstance(row[name], bytes) else b"" for name in names}


_PARTS = (
    "activities", "agents", "entities", "parents", "findings", "flagged", "supersedes", "batches",
)  # fmt: skip


def _edges(rows: Sequence[Mapping[str, str]]) -> Mapping[str, Sequence[str]]:
    return grouped((row["one"], row["other"]) for row in rows)
