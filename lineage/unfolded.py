"""Named queries about single messages and what is named, answered through batches as well.

Each gives the rows, columns and order that its text gives where every message has a node.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lineage.members import Members, Rows
from lineage.model import DEPTH
from lineage.unfold import Row, Unfolding, Use, member_row, nearest_first
from lineage.unfolded_reports import ALL, Reports

_GRAPH_ONLY = ("lane", "findings", "supersedes", "superseded_by", "parents")
_TAINT = (
    "uid", "stream", "layer", "ts", "tenant", "classification", "worker", "worker_version",
    "schema_name", "schema_version", "hops",
)  # fmt: skip
_ANCESTRY = ("uid", "stream", "ts", "worker", "worker_kind", "parents", "hops")
_NAMED = ("worker", "schema", "producer", "version", "since", "until")


def answered(raw: Rows, inspect: Rows, name: str, bound: Mapping[str, Any]) -> list[Row]:
    """Run a named query whose text sees nodes alone, and add what stands in batches.

    ``raw`` runs the text, ``inspect`` the statements of ``batches.sql`` or ``batches.cypher``.
    """
    answer = _ANSWERS.get(name)
    if answer is None or not Members(inspect).any():
        return raw(name, **bound)
    return answer(_Asked(raw, inspect), **bound)


class _Asked:
    """A question: what runs its text, and what follows its history through batches."""

    def __init__(self, raw: Rows, inspect: Rows) -> None:
        self.raw = raw
        self.inspect = inspect
        self.unfolding = Unfolding(inspect)
        self.reports = Reports(raw, inspect, self.unfolding)

    def is_node(self, *uids: str) -> bool:
        return len(self.unfolding.members.nodes(uids)) == len(set(uids))

    def reached(self, uid: str, limit: int = ALL) -> tuple[dict[str, Row], dict[str, Row]]:
        """What was made from a message, that itself included: with a node, and in batches.

        A message that has no node is among the latter.
        """
        if self.is_node(uid):
            nodes = {row["uid"]: row for row in self.raw("trace_down", uid=uid, limit=limit)}
            return nodes, self.unfolding.down(nodes, limit)[0]
        own = {u: row for u, row in self.unfolding.up([uid]).items() if u == uid}
        return {}, own | self.unfolding.down(own, limit)[0]


def _trace_up(asked: _Asked, uid: str, limit: int) -> list[Row]:
    if asked.is_node(uid):
        return asked.raw("trace_up", uid=uid, limit=limit)
    rows = nearest_first(asked.unfolding.up([uid]).values())[:limit]
    return [_without(row, "parents") for row in rows]


def _trace_down(asked: _Asked, uid: str, limit: int) -> list[Row]:
    nodes, others = asked.reached(uid, limit)
    rows = nearest_first([*nodes.values(), *others.values()])[:limit]
    return [_without(row, "parents") for row in rows]


def _edges_up(asked: _Asked, uid: str, limit: int) -> list[Row]:
    if asked.is_node(uid):
        return asked.raw("edges_up", uid=uid, limit=limit)
    rows = asked.unfolding.up([uid]).values()
    return _edges(((r["uid"], p) for r in rows if r["hops"] < DEPTH for p in r["parents"]), limit)


def _edges_down(asked: _Asked, uid: str, limit: int) -> list[Row]:
    nodes, others = asked.reached(uid)
    known = asked.raw("edges_down", uid=uid, limit=limit) if nodes else []
    near = {u for u, row in (nodes | others).items() if row["hops"] < DEPTH}
    found = {(u, parent) for u, row in others.items() for parent in row["parents"]}
    pairs = [(edge["child"], edge["parent"]) for edge in known]
    return _edges([*pairs, *((c, p) for c, p in found if p in near)], limit)


def _findings_of(asked: _Asked, uid: str, limit: int) -> list[Row]:
    if asked.is_node(uid):
        return asked.raw("findings_of", uid=uid, limit=limit)
    return asked.inspect("findings_about", uids=sorted(asked.unfolding.up([uid])))[:limit]


def _audit_trail(asked: _Asked, uid: str, limit: int) -> list[Row]:
    if asked.is_node(uid):
        return asked.raw("audit_trail", uid=uid, limit=limit)
    rows = [_without(row, *_GRAPH_ONLY) for row in asked.unfolding.up([uid]).values()]
    return sorted(rows, key=lambda row: (-_layer(row), row["ts"], row["uid"]))[:limit]


def _ancestry(asked: _Asked, uids: Sequence[str], limit: int) -> list[Row]:
    if asked.is_node(*uids):
        return asked.raw("ancestry", uids=uids, limit=limit)
    rows = nearest_first(asked.unfolding.up(uids).values())[:limit]
    return [_only(row, _ANCESTRY) for row in rows]


def _who_consumed(asked: _Asked, uid: str, limit: int) -> list[Row]:
    nodes, others = asked.reached(uid)
    reached = nodes | others
    uses = asked.unfolding.down(reached)[1]
    uses += [Use(**row) for row in asked.inspect("uses_of", uids=sorted(nodes))]
    groups: dict[tuple[str, ...], list[Use]] = defaultdict(list)
    for use in uses:
        groups[use.worker, use.worker_kind, use.worker_version, use.stream].append(use)
    rows = [
        {
            **dict(zip(("worker", "worker_kind", "worker_version", "stream"), key, strict=True)),
            "hops": min(reached[use.uid]["hops"] for use in members),
            "deepest": max(reached[use.uid]["hops"] for use in members),
            "messages": len({use.uid for use in members}),
            "first_ms": min(use.at_ms for use in members),
            "last_ms": max(use.at_ms for use in members),
        }
        for key, members in groups.items()
    ]
    order = ("hops", "worker", "worker_kind", "worker_version", "stream")
    return sorted(rows, key=lambda row: [row[name] for name in order])[:limit]


def _taint(asked: _Asked, limit: int, **named: Any) -> list[Row]:
    rows = asked.raw("taint", **named, limit=limit)
    rows += _tainted(asked, rows, named, limit)
    return [_only(row, _TAINT) for row in nearest_first(rows)[:limit]]


def _impact(asked: _Asked, limit: int, **named: Any) -> list[Row]:
    nodes = asked.raw("taint", **named, limit=ALL)
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in [*nodes, *_tainted(asked, nodes, named)]:
        groups[row["layer"], row["stream"], row["tenant"]].append(row)
    rows = [
        {
            "layer": layer,
            "stream": stream,
            "tenant": tenant,
            "messages": len(members),
            "first_ts": min(row["ts"] for row in members),
            "last_ts": max(row["ts"] for row in members),
            "deepest": max(row["hops"] for row in members),
        }
        for (layer, stream, tenant), members in groups.items()
    ]
    return sorted(rows, key=lambda r: (_layer(r), r["stream"], r["tenant"] or ""))[:limit]


def _tainted(
    asked: _Asked, nodes: Iterable[Row], named: Mapping[str, Any], most: int = ALL
) -> list[Row]:
    """What is named or was made from what is, and stands in batches without a node."""
    starts = {row["uid"]: row for row in nodes}
    own = _starts(asked, starts, named)
    return [*own.values(), *asked.unfolding.down(starts | own, most)[0].values()]


def _starts(asked: _Asked, nodes: Mapping[str, Row], named: Mapping[str, Any]) -> dict[str, Row]:
    """What of that is named itself."""
    if named["uid"] is not None:
        uid = named["uid"]
        rows = {} if uid in nodes else asked.unfolding.up([uid])
        return {u: row for u, row in rows.items() if u == uid}
    members = asked.unfolding.members
    ids = (row["id"] for row in asked.inspect("batches_named", **_only(named, _NAMED)))
    stored = members.batches(ids)
    every = {found.uid: found for batch in stored for found in batch.found()}
    rows = {u: member_row(found, 0) for u, found in members.without_node(every).items()}
    if named["worker"] is None and named["schema"] is None:
        rows |= _published(asked, named)
    return {u: r for u, r in rows.items() if named["since"] <= r["ts"] < named["until"]}


def _published(asked: _Asked, named: Mapping[str, Any]) -> dict[str, Row]:
    """Producers' messages of a time that batches alone mention; of one producer where named."""
    rows = asked.unfolding.mentioned(named["since"], named["until"])
    return {u: r for u, r in rows.items() if named["producer"] in (None, r["source"])}


def _edges(pairs: Iterable[tuple[str, str]], limit: int) -> list[Row]:
    return [{"child": child, "parent": parent} for child, parent in sorted(set(pairs))[:limit]]


def _layer(row: Row) -> int:
    return -1 if row["layer"] is None else int(row["layer"])


def _only(row: Mapping[str, Any], names: Iterable[str]) -> Row:
    return {name: row[name] for name in names}


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _lineage_gaps(
    asked: _Asked, inputs: Sequence[str], since: int, until: int, limit: int
) -> list[Row]:
    """A message of a batch has parents; but one that batches alone mention may lack its record."""
    nodes = asked.raw("lineage_gaps", inputs=inputs, since=since, until=until, limit=ALL)
    rows = {row["stream"]: row for row in nodes}
    for source in asked.unfolding.mentioned(since, until, but=inputs).values():
        stream, ts = source["stream"], source["ts"]
        none = {"stream": stream, "orphans": 0, "unrecorded": 0, "first_ts": ts, "last_ts": ts}
        row = rows.setdefault(stream, none)
        row["orphans"] += 1
        row["unrecorded"] += 1
        row["first_ts"] = min(row["first_ts"], ts)
        row["last_ts"] = max(row["last_ts"], ts)
    return sorted(rows.values(), key=lambda row: (-row["orphans"], row["stream"]))[:limit]


_ANSWERS: dict[str, Callable[..., list[Row]]] = {
    "trace_up": _trace_up,
    "trace_down": _trace_down,
    "edges_up": _edges_up,
    "edges_down": _edges_down,
    "findings_of": _findings_of,
    "audit_trail": _audit_trail,
    "ancestry": _ancestry,
    "who_consumed": _who_consumed,
    "taint": _taint,
    "impact": _impact,
    "lineage_gaps": _lineage_gaps,
    "access_report": lambda asked, **bound: asked.reports.access_report(**bound),
    "policy_crossings": lambda asked, **bound: asked.reports.policy_crossings(**bound),
    "findings_by_version": lambda asked, **bound: asked.reports.findings_by_version(**bound),
    "shared_root_cause": lambda asked, **bound: asked.reports.shared_root_cause(**bound),
}
