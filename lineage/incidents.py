"""Findings that belong together: one incident for each upstream cause and spell of time.

A finding's cause is what last made up the content that it flags: going up from the flagged
messages, the nearest one that no gate made, as a gate forwards what it was given. Two findings
belong together when no more than a given time lies between them and they have the same cause, or
one flags a message that stands upstream of what the other flags.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lineage.answers import DEFAULT_LIMIT, Answer
from lineage.store import LineageStore
from lineage.trace import Step, fetch

DEFAULT_WITHIN_S = 600.0
"""How far apart two findings of one incident may lie unless told otherwise."""

MAX_ROWS = 100_000
"""How many causes, and how many links among findings, are looked at."""

MAX_PATHS = 50
"""How many incidents, the newest, are shown with a causal path."""

MAX_TRACED = 2000
"""How many messages upstream of a finding its path is looked for in, the nearest."""

_SEVERITIES = ("low", "medium", "high", "critical")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Incident:
    """Findings with one cause; ``path`` leads from it to the finding that lies ``farthest``.

    ``first_ts`` and ``last_ts`` are those of its findings, in milliseconds since the epoch;
    ``kinds`` counts them; ``findings`` are their uids, the earliest first; ``summary`` is the
    first one's.
    """

    first_ts: int
    last_ts: int
    severity: str | None
    kinds: Mapping[str, int]
    cause: str
    summary: str
    farthest: str
    findings: tuple[str, ...]
    path: tuple[str, ...] = ()


def incidents(
    store: LineageStore,
    since: int,
    until: int,
    within_s: float = DEFAULT_WITHIN_S,
    limit: int = DEFAULT_LIMIT,
) -> Answer:
    """Group the newest ``limit`` findings of [since, until) ms into incidents, the newest first."""
    findings = store.query("findings", since=since, until=until, limit=limit + 1)
    cut = (f"only the newest {limit} findings were grouped",) * (len(findings) > limit)
    uids = [finding["uid"] for finding in findings[:limit]]
    causes = store.query("incident_causes", findings=uids, limit=MAX_ROWS)
    links = store.query("incident_links", findings=uids, limit=MAX_ROWS)
    if MAX_ROWS in (len(causes), len(links)):
        cut += (f"only {MAX_ROWS} causes and links were looked at; ask for a shorter time",)
    found = group(findings[:limit], causes, links, within_s)
    cut += (f"only the newest {MAX_PATHS} incidents have a path",) * (len(found) > MAX_PATHS)
    found = [replace(each, path=path_of(store, each)) for each in found[:MAX_PATHS]] + found[
        MAX_PATHS:
    ]
    return Answer("incidents", tuple(asdict(incident) for incident in found), cut)


def group(
    findings: Sequence[Row], causes: Iterable[Row], links: Iterable[Row], within_s: float
) -> list[Incident]:
    """Group the rows of ``findings`` by those of ``incident_causes`` and ``incident_links``."""
    upstream: dict[str, list[Row]] = {finding["uid"]: [] for finding in findings}
    for row in causes:
        upstream[row["finding"]].append(row)
    together = _together(findings, upstream, links, within_s * 1000)
    return sorted(
        (_incident(members, upstream) for members in together),
        key=lambda incident: (-incident.last_ts, incident.findings),
    )


def _together(
    findings: Sequence[Row], upstream: Mapping[str, Sequence[Row]], links: Iterable[Row], ms: float
) -> list[list[Row]]:
    ordered = sorted(findings, key=lambda finding: (finding["ts"], finding["uid"]))
    times: dict[str, int] = {finding["uid"]: finding["ts"] for finding in ordered}
    leaders = {uid: uid for uid in times}

    def join(one: str, other: str) -> None:
        if one in times and other in times and abs(times[one] - times[other]) <= ms:
            leaders[_leader(leaders, one)] = _leader(leaders, other)

    last: dict[str, str] = {}
    for finding in ordered:
        uid = str(finding["uid"])
        cause = _cause(upstream[uid]) or uid
        join(last.get(cause, uid), uid)
        last[cause] = uid
    for link in links:
        join(link["finding"], link["upstream"])
    groups: dict[str, list[Row]] = defaultdict(list)
    for finding in ordered:
        groups[_leader(leaders, finding["uid"])].append(finding)
    return list(groups.values())


def _leader(leaders: dict[str, str], uid: str) -> str:
    while leaders[uid] != uid:
        leaders[uid] = uid = leaders[leaders[uid]]
    return uid


def _incident(members: Sequence[Row], upstream: Mapping[str, Sequence[Row]]) -> Incident:
    farthest = max(members, key=lambda member: _reach(upstream[member["uid"]]))
    severities = [member["severity"] for member in members if member["severity"]]
    return Incident(
        first_ts=members[0]["ts"],
        last_ts=members[-1]["ts"],
        severity=max(severities, key=_SEVERITIES.index, default=None),
        kinds=dict(sorted(Counter(member["kind"] for member in members).items())),
        cause=_cause(upstream[members[0]["uid"]]) or "unknown",
        summary=members[0]["summary"],
        farthest=farthest["uid"],
        findings=tuple(member["uid"] for member in members),
    )


def _reach(causes: Sequence[Row]) -> int:
    return max((row["hops"] for row in causes), default=0)


def _cause(causes: Sequence[Row]) -> str:
    """Name what last made up the flagged content; empty where nothing is flagged."""
    authors = [row for row in causes if row["worker_kind"] != "gate"] or list(causes)
    if not authors:
        return ""
    author = min(authors, key=lambda row: (row["hops"], -row["messages"]))
    return _name(author["worker"], author["worker_version"], author["source"], author["stream"])


def _name(worker: str | None, version: str | None, source: str | None, stream: str) -> str:
    if worker:
        return f"{worker} {version}"
    return f"{source or 'an unnamed producer'} of {stream}"


def path_of(store: LineageStore, incident: Incident) -> tuple[str, ...]:
    """The streams from an incident's cause to its farthest finding, each with who made what.

    The shortest way there is; from the nearest source where the cause is not upstream of it.
    """
    trace = fetch(store, incident.farthest, limit=MAX_TRACED)
    steps = {step.uid: step for step in trace.steps}
    ways: list[tuple[str, ...]] = [(incident.farthest,)]
    seen = {incident.farthest}
    ends: list[tuple[str, ...]] = []
    for way in ways:  # grows: breadth first, so the first to arrive is the shortest
        step = steps[way[0]]
        if len(way) > 1 and _made_by(step) == incident.cause:
            return _stops(way, steps)
        if not step.parents:
            ends.append(way)
        ways += [(parent, *way) for parent in step.parents if parent not in seen]
        seen.update(step.parents)
    return _stops(ends[0], steps) if ends else ()


def _made_by(step: Step) -> str:
    return _name(step.worker, step.worker_version, step.source, step.stream)


def _stops(way: Sequence[str], steps: Mapping[str, Step]) -> tuple[str, ...]:
    return tuple(_stop(steps[uid]) for uid in way)


def _stop(step: Step) -> str:
    maker = f"{step.worker} {step.worker_version}" if step.worker else step.source
    return f"{step.stream} ({maker})" if maker else step.stream
