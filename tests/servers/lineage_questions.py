"""What the named questions must be answered with, worked out by brute force over the oracle."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from schemas.security import Classification
from tests.servers.lineage_oracle import Oracle, Row, pick

Key = tuple[Any, ...]

_MAKER = ("worker", "worker_version")
_KINDS = {
    "anomalies": "anomaly",
    "drifts": "drift",
    "rejections": "rejection",
    "dead_letters": "dead_letter",
}
_WORKER = ("worker", "worker_kind", "worker_version")


class Questions:
    """Answers each named question about the records that an oracle knows."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._rows = {uid: oracle.row(uid) for uid in oracle.uids}
        self._used = {
            (self._rows[child]["activity"], parent): self._rows[child]
            for child, parent in oracle.derived
        }

    def shared_root_cause(self, findings: Sequence[str]) -> list[Row]:
        groups: dict[Key, list[tuple[str, str, int]]] = defaultdict(list)
        for finding in set(findings):
            for uid, hops in self._oracle.upstream(finding).items():
                for cause in _causes(self._rows[uid]):
                    groups[cause].append((finding, uid, hops))
        rows = [
            {
                **dict(zip(("cause", "name", "version"), cause, strict=True)),
                "findings": len({finding for finding, _, _ in members}),
                "messages": len({uid for _, uid, _ in members}),
                "made": sum(cause in _causes(row) for row in self._rows.values()),
                "deepest": max(hops for _, _, hops in members),
            }
            for cause, members in groups.items()
        ]
        return sorted(rows, key=_suspicion)[:25]

    def impact(self, since: int, until: int, **named: str) -> list[Row]:
        reached = self._downstream(since, until, **named)
        rows = [
            {
                **key,
                "messages": len(uids),
                **self._span(uids),
                "deepest": max(reached[uid] for uid in uids),
            }
            for key, uids in self._grouped(reached, ("layer", "stream", "tenant"))
        ]
        return sorted(rows, key=lambda r: (_or(r["layer"], -1), r["stream"], r["tenant"] or ""))

    def taint(self, since: int, until: int, **named: str) -> list[Row]:
        columns = ("uid", "stream", "layer", "ts", "tenant", "classification")
        columns = (*columns, *_MAKER, "schema_name", "schema_version")
        rows = [
            {**pick(self._rows[uid], columns), "hops": hops}
            for uid, hops in self._downstream(since, until, **named).items()
        ]
        return sorted(rows, key=lambda row: (row["hops"], row["ts"], row["uid"]))

    def who_consumed(self, uid: str) -> list[Row]:
        reached = self._oracle.reach(uid, "down")
        uses = [(use, read) for (_, read), use in self._used.items() if read in reached]
        rows = [
            {
                **dict(zip((*_WORKER, "stream"), key, strict=True)),
                "hops": min(reached[read] for _, read in members),
                "deepest": max(reached[read] for _, read in members),
                **_reads(members),
            }
            for key, members in _by(uses, lambda u: (*_values(u[0], _WORKER), self._stream(u[1])))
        ]
        return sorted(rows, key=lambda r: (r["hops"], *_values(r, (*_WORKER, "stream"))))

    def access_report(self, tenant: str | None, since: int, until: int) -> list[Row]:
        wanted = [
            (use, read)
            for (_, read), use in self._used.items()
            if since <= use["at_ms"] < until and self._rows[read]["tenant"]
            if tenant in (None, self._rows[read]["tenant"])
        ]
        columns = ("tenant", *_WORKER, "stream", "classification")

        def key(use: tuple[Row, str]) -> Key:
            read = self._rows[use[1]]
            told = (read["stream"], read["classification"])
            return (read["tenant"], *_values(use[0], _WORKER), *told)

        rows = [
            {**dict(zip(columns, group, strict=True)), **_reads(members)}
            for group, members in _by(wanted, key)
        ]
        return sorted(rows, key=lambda r: (r["tenant"], -r["messages"], *_texts(r, columns)))

    def violations_by_producer(self, since: int, until: int) -> list[Row]:
        found = [
            {**self._rows[message], **self._told(finding)}
            for finding, message in self._oracle.flags
            if self._told(finding)["kind"] == "rejection"
            and since <= self._rows[finding]["ts"] < until
        ]
        columns = ("source", *_MAKER, "stream", "gate", "violation")
        rows = [
            {
                **dict(zip(columns, group, strict=True)),
                "messages": len({row["uid"] for row in members}),
                "first_ts": min(row["found_ts"] for row in members),
                "last_ts": max(row["found_ts"] for row in members),
                "example": min(row["uid"] for row in members),
            }
            for group, members in _by(found, lambda row: _values(row, columns))
        ]
        return sorted(rows, key=lambda r: (-r["messages"], *_texts(r, columns)))

    def findings_by_version(self, since: int, until: int) -> list[Row]:
        made = [u for u, r in self._rows.items() if r["worker"] and since <= r["ts"] < until]
        rows = []
        for key, uids in self._grouped(made, _WORKER):
            within = set(uids)
            flags = [(f, m) for f, m in self._oracle.flags if m in within]
            kinds = [self._told(finding)["kind"] for finding in {f for f, _ in flags}]
            counted = {column: kinds.count(kind) for column, kind in _KINDS.items()}
            flagged = len({message for _, message in flags})
            rows.append({**key, "messages": len(uids), "flagged": flagged, **counted})
        return sorted(
            rows, key=lambda r: (-1.0 * r["flagged"] / r["messages"], *_values(r, _WORKER))
        )

    def policy_crossings(self, since: int, until: int) -> list[Row]:
        columns = ("from_tenant", "to_tenant", "from_classification", "to_classification")
        columns = (*columns, "from_stream", "to_stream", *_MAKER)
        edges = [
            (self._rows[child], self._rows[parent])
            for child, parent in self._oracle.derived
            if since <= self._rows[child]["ts"] < until
            and _crosses(self._rows[child], self._rows[parent])
        ]

        def key(edge: tuple[Row, Row]) -> Key:
            child, parent = edge
            pairs = [(parent[n], child[n]) for n in ("tenant", "classification", "stream")]
            return (*(value for pair in pairs for value in pair), *_values(child, _MAKER))

        rows = [
            {
                **dict(zip(columns, group, strict=True)),
                "derivations": len(members),
                **self._span({child["uid"] for child, _ in members}),
                "example": min(child["uid"] for child, _ in members),
            }
            for group, members in _by(edges, key)
        ]
        return sorted(rows, key=lambda r: (-r["derivations"], *_texts(r, columns)))

    def findings(self, since: int, until: int) -> list[Row]:
        rows = [
            {
                **pick(self._told(uid), ("kind", "detector", "severity", "summary")),
                **pick(self._rows[uid], ("uid", "ts", "stream")),
                "flagged": sorted(m for f, m in self._oracle.flags if f == uid),
            }
            for uid in self._oracle.finding_uids
            if since <= self._rows[uid]["ts"] < until
        ]
        return sorted(rows, key=lambda row: (row["ts"], row["uid"]), reverse=True)

    def incident_causes(self, findings: Sequence[str]) -> list[Row]:
        columns = ("stream", *_WORKER, "source")
        rows = []
        for finding in set(findings):
            reached = self._oracle.upstream(finding)
            for key, uids in self._grouped(reached, columns):
                hops = min(reached[uid] for uid in uids)
                told = {"hops": hops, "messages": len(uids), "first": min(uids)}
                rows.append({"finding": finding, **key, **told})
        return sorted(rows, key=lambda r: (r["finding"], r["hops"], *_texts(r, columns)))

    def incident_links(self, findings: Sequence[str]) -> list[Row]:
        pairs = {
            (finding, other)
            for finding in findings
            for other, flagged in self._oracle.flags
            if other != finding and flagged in self._oracle.upstream(finding)
        }
        return [{"finding": finding, "upstream": upstream} for finding, upstream in sorted(pairs)]

    def _downstream(self, since: int, until: int, **named: str) -> dict[str, int]:
        seeds = [uid for uid, row in self._rows.items() if _named(row, since, until, **named)]
        return self._oracle.reach_of(seeds, "down")

    def _grouped(
        self, uids: Iterable[str], columns: Sequence[str]
    ) -> Iterable[tuple[Row, list[str]]]:
        for key, members in _by(uids, lambda uid: _values(self._rows[uid], columns)):
            yield dict(zip(columns, key, strict=True)), members

    def _span(self, uids: Iterable[str]) -> Row:
        times = [self._rows[uid]["ts"] for uid in uids]
        return {"first_ts": min(times), "last_ts": max(times)}

    def _stream(self, uid: str) -> str:
        return str(self._rows[uid]["stream"])

    def _told(self, finding: str) -> Row:
        told = self._oracle.finding(finding, finding)
        more = {"gate": told["detector"], "violation": told["summary"], "found_ts": told["ts"]}
        return pick(told, ("kind", "detector", "severity", "summary")) | more


def _named(row: Row, since: int, until: int, **named: str) -> bool:
    if "uid" in named:
        return bool(row["uid"] == named["uid"])
    if not since <= row["ts"] < until:
        return False
    version = named.pop("version", None)
    columns = {"worker": "worker", "schema": "schema_name", "producer": "source"}
    for name, value in named.items():
        made = {"worker": row["worker_version"], "schema": row["schema_version"]}
        return row[columns[name]] == value and version in (None, made.get(name, version))
    return True


def _causes(row: Row) -> list[Key]:
    found = [
        ("worker", row["worker"], row["worker_version"]),
        ("schema", row["schema_name"], row["schema_version"]),
        ("producer", None if row["worker"] else row["source"], None),
    ]
    return [cause for cause in found if cause[1] is not None]


def _suspicion(row: Row) -> Key:
    share = 1.0 * row["messages"] / row["made"]
    return (-row["findings"], -share, *_texts(row, ("cause", "name", "version")))


def _crosses(child: Row, parent: Row) -> bool:
    tenants = (child["tenant"], parent["tenant"])
    if None not in tenants and tenants[0] != tenants[1]:
        return True
    known = (child["classification"], parent["classification"])
    if None in known:
        return False
    below, above = (Classification(value).rank for value in known)
    return below < above


def _reads(members: Sequence[tuple[Row, str]]) -> Row:
    times = [use["at_ms"] for use, _ in members]
    messages = len({read for _, read in members})
    return {"messages": messages, "first_ms": min(times), "last_ms": max(times)}


def _by(items: Iterable[Any], key: Callable[[Any], Key]) -> Iterable[tuple[Key, list[Any]]]:
    groups: dict[Key, list[Any]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups.items()


def _values(row: Row, columns: Sequence[str]) -> Key:
    return tuple(row[column] for column in columns)


def _texts(row: Row, columns: Sequence[str]) -> Key:
    return tuple(_or(value, "") for value in _values(row, columns))


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value
