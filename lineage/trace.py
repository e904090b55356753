"""A message's history as a value: its ancestors or descendants, ordered from the source on."""

import heapq
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from lineage.answers import depth_met
from lineage.errors import UnknownMessageError
from lineage.store import LineageStore
from lineage.uid import entry_order

Direction = Literal["up", "down"]
"""``up``: what a message was made from; ``down``: what was made from it."""

DEFAULT_LIMIT = 10_000
"""How many messages a trace holds unless asked for more."""

MAX_EDGES = 100_000
"""How many derivations among them are fetched."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding that flags a message; detector and summary are None where they were cut off."""

    uid: str
    kind: str
    detector: str | None = None
    severity: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A message of a trace, with what made it.

    ``parents`` are those within the trace, in the order of their entries; ``hops`` is the least
    number of derivations between it and the message asked for. Worker, kind, version, host, run,
    activity and ``at_ms`` are None for a message that no recorded commit made. ``supersedes`` are
    the messages whose place it took after a replay, ``superseded_by`` those that took its place.
    """

    uid: str
    stream: str
    lane: int
    layer: int | None
    ts: int
    hops: int
    worker: str | None
    worker_kind: str | None
    worker_version: str | None
    host: str | None
    run: str | None
    activity: str | None
    at_ms: int | None
    schema_name: str | None
    schema_version: str | None
    tenant: str | None
    classification: str | None
    source: str | None
    producer_id: str | None
    parents: tuple[str, ...] = ()
    findings: tuple[Found, ...] = ()
    supersedes: tuple[str, ...] = ()
    superseded_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """The history of one message.

    Every step stands after those it was made from. ``truncated`` says that a limit or the depth
    was reached: the messages farthest from the one asked for may be missing, or derivations among
    the messages.
    """

    uid: str
    direction: Direction
    steps: tuple[Step, ...]
    truncated: bool = False


def fetch(
    store: LineageStore, uid: str, direction: Direction = "up", limit: int = DEFAULT_LIMIT
) -> Trace:
    """Ask a store for the trace of a message, of at most ``limit`` messages, the nearest first.

    Raises :class:`UnknownMessageError` when no record mentions the message.
    """
    rows = store.query(f"trace_{direction}", uid=uid, limit=limit + 1)
    edges = store.query(f"edges_{direction}", uid=uid, limit=MAX_EDGES)
    findings = store.query("findings_of", uid=uid)
    truncated = len(rows) > limit or len(edges) == MAX_EDGES or bool(depth_met(rows))
    return build(uid, direction, rows[:limit], edges, findings, truncated=truncated)


def require(store: LineageStore, uid: str) -> None:
    """Make sure that the store knows a message.

    Raises :class:`UnknownMessageError` when no record mentions it.
    """
    if not store.query("trace_up", uid=uid, limit=1):
        raise unknown(uid)


def unknown(uid: str) -> UnknownMessageError:
    """The error about a message that no record mentions."""
    return UnknownMessageError(
        f"no lineage record mentions {uid!r}; is the uid right (STREAM/ENTRY-ID), and has the "
        "lineage worker caught up?"
    )


def build(
    uid: str,
    direction: Direction,
    rows: Sequence[Mapping[str, Any]],
    edges: Iterable[Mapping[str, Any]],
    findings: Iterable[Mapping[str, Any]],
    *,
    truncated: bool = False,
) -> Trace:
    """Put the rows of ``trace_*``, ``edges_*`` and ``findings_of`` together, in any order.

    Edges to messages that are not among the rows are left out. Raises
    :class:`UnknownMessageError` when there are no rows.
    """
    if not rows:
        raise unknown(uid)
    by_uid = {row["uid"]: row for row in rows}
    parents = _parents(by_uid, edges)
    details = {finding["uid"]: finding for finding in findings}
    steps = (_step(by_uid[each], parents[each], details) for each in _ordered(by_uid, parents))
    return Trace(uid, direction, tuple(steps), truncated)


def to_json(trace: Trace) -> str:
    """Write a trace as one JSON object, with the fields of :class:`Trace` and its steps."""
    return json.dumps(asdict(trace), ensure_ascii=False)


def _parents(by_uid: Mapping[str, Any], edges: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    parents: dict[str, list[str]] = {uid: [] for uid in by_uid}
    for edge in edges:
        if edge["child"] in by_uid and edge["parent"] in by_uid:
            parents[edge["child"]].append(edge["parent"])
    return {uid: sorted(of_uid, key=entry_order) for uid, of_uid in parents.items()}


def _ordered(by_uid: Mapping[str, Any], parents: Mapping[str, Sequence[str]]) -> list[str]:
    """Sort so that parents come first, and what is free to choose by entry id.

    A forged record could close a circle; its messages come last, by entry id.
    """
    children: dict[str, list[str]] = defaultdict(list)
    missing = {uid: len(parents[uid]) for uid in by_uid}
    for child, of_child in parents.items():
        for parent in of_child:
            children[parent].append(child)
    ready = [entry_order(uid) for uid, count in missing.items() if count == 0]
    heapq.heapify(ready)
    ordered: list[str] = []
    while ready:
        uid = heapq.heappop(ready)[2]
        ordered.append(uid)
        for child in children[uid]:
            missing[child] -= 1
            if missing[child] == 0:
                heapq.heappush(ready, entry_order(child))
    return ordered + sorted(by_uid.keys() - set(ordered), key=entry_order)


def _step(
    row: Mapping[str, Any], parents: Sequence[str], details: Mapping[str, Mapping[str, Any]]
) -> Step:
    plain = {name: row[name] for name in _PLAIN}
    found = tuple(_found(finding, details) for finding in row["findings"])
    return Step(
        **plain,
        parents=tuple(parents),
        findings=found,
        supersedes=tuple(row["supersedes"]),
        superseded_by=tuple(row["superseded_by"]),
    )


def _found(finding: Mapping[str, Any], details: Mapping[str, Mapping[str, Any]]) -> Found:
    told = details.get(finding["uid"], {})
    return Found(
        uid=finding["uid"],
        kind=finding["kind"],
        detector=told.get("detector"),
        severity=told.get("severity"),
        summary=told.get("summary"),
    )


_APART = ("parents", "findings", "supersedes", "superseded_by")
_PLAIN = tuple(field.name for field in fields(Step) if field.name not in _APART)
