"""Reports that count messages, answered through batches as well.

A text of ``questions`` counts messages that have a node; what stands in batches alone is added.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lineage.members import Found, Rows, Stored
from lineage.uid import MAX_TS_MS, place_of
from lineage.unfold import Row, Unfolding
from schemas.security import Classification

ALL = 1_000_000
"""So many rows of the graph are joined with what is in batches."""

_WORKER = ("worker", "worker_kind", "worker_version")
_ACCESS = ("tenant", *_WORKER, "stream", "classification")
_CROSSING = (
    "from_tenant", "to_tenant", "from_classification", "to_classification", "from_stream",
    "to_stream", "worker", "worker_version",
)  # fmt: skip
_COUNTS = ("messages", "flagged", "anomalies", "drifts", "rejections", "dead_letters")

Key = tuple[Any, ...]


class Described(NamedTuple):
    """What a report says of a message."""

    stream: str
    tenant: str | None
    classification: str | None


class Reports:
    """Answers reports about a store that has batches."""

    def __init__(self, raw: Rows, inspect: Rows, unfolding: Unfolding) -> None:
        self._raw = raw
        self._inspect = inspect
        self._unfolding = unfolding
        self._members = unfolding.members

    def access_report(self, tenant: str | None, since: int, until: int, limit: int) -> list[Row]:
        """Which workers made something of a tenant's messages."""
        raw = self._raw("access_report", tenant=tenant, since=since, until=until, limit=ALL)
        rows = {_key(row, _ACCESS): row for row in raw}
        for key, (uids, times) in self._reads(tenant, since, until).items():
            none = {**dict(zip(_ACCESS, key, strict=True)), "messages": 0}
            row = rows.setdefault(key, none | {"first_ms": times[0], "last_ms": times[0]})
            row["messages"] += len(uids)
            row["first_ms"] = min(row["first_ms"], *times)
            row["last_ms"] = max(row["last_ms"], *times)
        order = (*_WORKER, "stream", "classification")
        return sorted(
            rows.values(), key=lambda r: (r["tenant"], -r["messages"], *_texts(r, order))
        )[:limit]

    def policy_crossings(self, since: int, until: int, limit: int) -> list[Row]:
        """Derivations along which the tenant changes or the classification goes down."""
        raw = self._raw("policy_crossings", since=since, until=until, limit=ALL)
        rows = {_key(row, _CROSSING): row for row in raw}
        for found, _, parent in self._derivations(self._made(since, until)):
            batch, ts = found.stored.batch, place_of(found.uid).ts
            child = Described(batch.stream, batch.tenant, batch.classification)
            if not (since <= ts < until and _crosses(child, parent)):
                continue
            told = (parent.tenant, child.tenant, parent.classification, child.classification)
            made = found.stored.made_by
            key = (*told, parent.stream, child.stream, made["worker"], made["worker_version"])
            none = {**dict(zip(_CROSSING, key, strict=True)), "derivations": 0}
            row = rows.setdefault(key, none | {"first_ts": ts, "last_ts": ts, "example": found.uid})
            row["derivations"] += 1
            row["first_ts"], row["last_ts"] = min(row["first_ts"], ts), max(row["last_ts"], ts)
            row["example"] = min(row["example"], found.uid)
        order = lambda r: (-r["derivations"], *_texts(r, _CROSSING))  # noqa: E731
        return sorted(rows.values(), key=order)[:limit]

    def findings_by_version(self, since: int, until: int, limit: int) -> list[Row]:
        """How many of the messages that each version of a worker made were flagged."""
        raw = self._raw("findings_by_version", since=since, until=until, limit=ALL)
        rows = {_key(row, _WORKER): row for row in raw}
        for found in self._made(since, until):
            key = _key(found.stored.made_by, _WORKER)
            none = dict(zip(_WORKER, key, strict=True)) | dict.fromkeys(_COUNTS, 0)
            rows.setdefault(key, none)["messages"] += since <= place_of(found.uid).ts < until
        told = (row for row in rows.values() if row["messages"])
        return sorted(told, key=lambda r: (-r["flagged"] / r["messages"], *_texts(r, _WORKER)))[
            :limit
        ]

    def shared_root_cause(self, findings: Sequence[str], limit: int) -> list[Row]:
        """What stands upstream of most of the findings."""
        rows = self._raw("shared_root_cause", findings=findings, limit=ALL)
        published = self._published() if any(r["cause"] == "producer" for r in rows) else {}
        for row in rows:
            if row["cause"] == "producer":
                row["made"] += published.get(row["name"], 0)
            else:
                named = {"worker": None, "schema": None, row["cause"]: row["name"]}
                (more,) = self._inspect("batches_counted", **named, version=row["version"])
                row["made"] += more["n"]

        def order(row: Row) -> Key:
            share = row["messages"] / row["made"]
            return (-row["findings"], -share, *_texts(row, ("cause", "name", "version")))

        return sorted(rows, key=order)[:limit]

    def _published(self) -> Mapping[str, int]:
        counts: dict[str, int] = defaultdict(int)
        for row in self._unfolding.mentioned(0, MAX_TS_MS).values():
            counts[row["source"]] += 1
        return counts

    def _reads(
        self, tenant: str | None, since: int, until: int
    ) -> Mapping[Key, tuple[set[str], list[int]]]:
        """What was read for messages without a node, but for what the text of the query counts."""
        found: dict[Key, tuple[set[str], list[int]]] = defaultdict(lambda: (set(), []))
        ids = self._inspect("batches_worked", since=since, until=until)
        for each, uid, parent in self._derivations(self._bare(ids)):
            if parent.tenant is None or tenant not in (None, parent.tenant):
                continue
            worker = _key(each.stored.made_by, _WORKER)
            uids, times = found[(parent.tenant, *worker, parent.stream, parent.classification)]
            uids.add(uid)
            times.append(each.stored.made_by["at_ms"])
        read = {uid for uids, _ in found.values() for uid in uids}
        known = {
            (use["uid"], *_key(use, _WORKER))
            for use in self._inspect("uses_of", uids=sorted(read))
            if since <= use["at_ms"] < until
        }
        return {
            key: ({uid for uid in uids if (uid, *key[1:4]) not in known}, times)
            for key, (uids, times) in found.items()
        }

    def _made(self, since: int, until: int) -> Iterable[Found]:
        """Messages of batches that overlap a time, without a node."""
        none = dict.fromkeys(("worker", "schema", "producer", "version"))
        return self._bare(self._inspect("batches_named", **none, since=since, until=until))

    def _bare(self, ids: Iterable[Row]) -> list[Found]:
        stored: list[Stored] = self._members.batches(row["id"] for row in ids)
        every = {found.uid: found for batch in stored for found in batch.found()}
        return list(self._members.without_node(every).values())

    def _derivations(self, found: Iterable[Found]) -> Iterator[tuple[Found, str, Described]]:
        """Each derivation of some messages: the message, its parent's uid, and the parent."""
        kept = list(found)
        described = self._described({p for each in kept for p in each.member.parents})
        for each in kept:
            for parent in sorted(set(each.member.parents)):
                yield each, parent, described[parent]

    def _described(self, uids: Collection[str]) -> dict[str, Described]:
        nodes = self._inspect("described", uids=sorted(uids)) if uids else []
        found = {row["uid"]: _described(row) for row in nodes}
        batched = self._members.of(uids - found.keys())
        found |= {
            uid: Described(b.stream, b.tenant, b.classification)
            for uid, b in ((uid, each.stored.batch) for uid, each in batched.items())
        }
        sources = self._unfolding.sources(uids - found.keys())
        return found | {uid: _described(row) for uid, row in sources.items()}


def _described(row: Row) -> Described:
    return Described(row["stream"], row["tenant"], row["classification"])


def _crosses(child: Described, parent: Described) -> bool:
    if child.tenant is not None and parent.tenant not in (None, child.tenant):
        return True
    if child.classification is None or parent.classification is None:
        return False
    return Classification(child.classification).rank < Classification(parent.classification).rank


def _key(row: Mapping[str, Any], names: Iterable[str]) -> Key:
    return tuple(row[name] for name in names)


def _texts(row: Row, names: Iterable[str]) -> Key:
    return tuple(row[name] or "" for name in names)
