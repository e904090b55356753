"""What the lineage stores must answer, worked out by brute force over the records in memory."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lineage.model import DEPTH, StampedRecord
from lineage.uid import place_of
from schemas.lineage_record import LineageOutput

Row = dict[str, Any]

_CIRCUMSTANCES = ("tenant", "classification", "source", "producer_id")
_ACTIVITY = ("worker", "worker_kind", "worker_version", "host", "run", "activity", "at_ms")
_SCHEMA = ("schema_name", "schema_version")


class Oracle:
    """Answers the named queries about a list of records."""

    def __init__(self, records: Sequence[StampedRecord], layers: Mapping[str, int]) -> None:
        self._layers = layers
        self._made: dict[str, tuple[StampedRecord, LineageOutput]] = {
            f"{output.stream}/{entry}": (stamped, output)
            for stamped in records
            for output, entry in zip(stamped.record.outputs, stamped.ids, strict=True)
            if entry is not None
        }
        self.derived = {(uid, parent) for uid, (_, o) in self._made.items() for parent in o.parents}
        self.flags = {
            (uid, flagged)
            for uid, (_, o) in self._made.items()
            if o.finding
            for flagged in o.finding.flagged
        }
        self.supersedes = {(uid, old) for uid, (_, o) in self._made.items() for old in o.supersedes}
        ends = {uid for edge in self.derived | self.flags | self.supersedes for uid in edge}
        self.uids = sorted(ends | self._made.keys())
        self._next: dict[str, dict[str, set[str]]] = {
            "up": _joined(self.derived),
            "down": _joined((parent, child) for child, parent in self.derived),
        }
        self._flagged_by = _joined((message, finding) for finding, message in self.flags)
        self._hints = self._told_by_children()
        self._known_uids = frozenset(self.uids)
        self.finding_uids = sorted(uid for uid, (_, o) in self._made.items() if o.finding)

    def counts(self) -> Row:
        commits = {stamped.uid: stamped for stamped, _ in self._made.values()}
        agents = {(s.uid, f"worker/{s.record.worker}") for s in commits.values()}
        agents |= {(s.uid, f"producer/{o.source}") for s, o in self._made.values() if o.source}
        return {
            "entities": len(self.uids),
            "activities": len(commits),
            "agents": len({agent for _, agent in agents}),
            "findings": len(self.finding_uids),
            "derived_from": len(self.derived),
            "generated_by": len(self._made),
            "used": len({(self._made[child][0].uid, parent) for child, parent in self.derived}),
            "associated_with": len(agents),
            "flagged": len(self.flags),
            "supersedes": len(self.supersedes),
            **dict.fromkeys(("batches", "member_of", "batched"), 0),
        }

    def trace(self, uid: str, direction: str) -> list[Row]:
        reached = self.reach(uid, direction).items()
        rows = [{**self.row(u), **self._places(u), "hops": hops} for u, hops in reached]
        return sorted(rows, key=lambda row: (row["hops"], row["ts"], row["uid"]))

    def _places(self, uid: str) -> Row:
        return {
            "supersedes": sorted(old for new, old in self.supersedes if new == uid),
            "superseded_by": sorted(new for new, old in self.supersedes if old == uid),
        }

    def ancestry(self, uids: Sequence[str]) -> list[Row]:
        columns = ("uid", "stream", "ts", "worker", "worker_kind")
        rows = [
            {
                **pick(self.row(u), columns),
                "parents": sorted(self._next["up"].get(u, ())),
                "hops": hops,
            }
            for u, hops in self.reach_of(uids, "up").items()
        ]
        return sorted(rows, key=lambda row: (row["hops"], row["ts"], row["uid"]))

    def edges(self, uid: str, direction: str) -> list[Row]:
        near = {u for u, hops in self.reach(uid, direction).items() if hops < DEPTH}
        end = 0 if direction == "up" else 1
        edges = sorted(edge for edge in self.derived if edge[end] in near)
        return [{"child": child, "parent": parent} for child, parent in edges]

    def findings_of(self, uid: str) -> list[Row]:
        traced = self.reach(uid, "up").keys() | self.reach(uid, "down").keys()
        rows = [self.finding(f, flagged) for f, flagged in self.flags if flagged in traced]
        return sorted(rows, key=lambda row: (row["ts"], row["uid"], row["flagged"]))

    def root_cause(self, finding: str) -> list[Row]:
        dropped = ("lane", "host", "run", "activity", "at_ms")
        rows = [
            {**without(self.row(u), *dropped), "hops": hops}
            for u, hops in self.upstream(finding).items()
        ]
        return sorted(rows, key=lambda row: (row["ts"], row["uid"]))

    def audit_trail(self, uid: str) -> list[Row]:
        rows = [
            {**without(self.row(u), "lane", "findings"), "hops": hops}
            for u, hops in self.reach(uid, "up").items()
        ]
        return sorted(rows, key=lambda row: (-(row["layer"] or -1), row["ts"], row["uid"]))

    def gaps(self, inputs: Sequence[str], since: int, until: int) -> list[Row]:
        children = {child for child, _ in self.derived}
        orphans: dict[str, list[Row]] = {}
        for row in map(self.row, self.uids):
            inside = row["stream"] not in inputs and since <= row["ts"] < until
            if inside and row["uid"] not in children:
                orphans.setdefault(row["stream"], []).append(row)
        rows = [
            {
                "stream": stream,
                "orphans": len(of_stream),
                "unrecorded": sum(row["activity"] is None for row in of_stream),
                "first_ts": min(row["ts"] for row in of_stream),
                "last_ts": max(row["ts"] for row in of_stream),
            }
            for stream, of_stream in orphans.items()
        ]
        return sorted(rows, key=lambda row: (-row["orphans"], row["stream"]))

    def upstream(self, finding: str) -> dict[str, int]:
        """Everything above what a finding flags, with the least distance to any of it."""
        flagged = [message for f, message in self.flags if f == finding]
        return self.reach_of(flagged, "up")

    def reach_of(self, uids: Iterable[str], direction: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for uid in uids:
            for reached, hops in self.reach(uid, direction).items():
                found[reached] = min(hops, found.get(reached, hops))
        return found

    def reach(self, uid: str, direction: str) -> dict[str, int]:
        beyond = self._next[direction]
        hops = {uid: 0} if uid in self._known_uids else {}
        front = set(hops)
        for distance in range(1, DEPTH + 1):
            front = {end for start in front for end in beyond.get(start, ())} - hops.keys()
            hops |= dict.fromkeys(front, distance)
        return hops

    def row(self, uid: str) -> Row:
        stream, lane, ts = place_of(uid)
        place = {"stream": stream, "lane": lane, "ts": ts, "layer": self._layers.get(stream)}
        found = [
            {"kind": self.finding(f, uid)["kind"], "uid": f}
            for f in sorted(self._flagged_by.get(uid, ()))
        ]
        return {"uid": uid, **place, **self._known(uid), "findings": found}

    def _known(self, uid: str) -> Row:
        if uid in self._made:
            stamped, output = self._made[uid]
            record = stamped.record
            activity = f"{record.worker}:{record.run}:{stamped.uid}"
            made = {**vars(record), "activity": activity}
            return pick(made, _ACTIVITY) | pick(output.model_dump(), _SCHEMA + _CIRCUMSTANCES)
        return dict.fromkeys(_ACTIVITY + _SCHEMA + _CIRCUMSTANCES) | self._hints.get(uid, {})

    def _told_by_children(self) -> dict[str, Row]:
        """What is known of a message by the first that was made from it alone."""
        found: dict[str, Row] = {}
        for _, (_, output) in sorted(self._made.items(), key=lambda item: item[0]):
            hint = pick(output.model_dump(), _CIRCUMSTANCES)
            observation = output.finding and output.finding.kind in ("anomaly", "drift")
            if len(output.parents) == 1 and not observation and any(hint.values()):
                found.setdefault(output.parents[0], hint)
        return found

    def finding(self, uid: str, flagged: str) -> Row:
        finding = self._made[uid][1].finding
        assert finding is not None
        told = pick(finding.model_dump(), ("kind", "detector", "severity", "summary"))
        return {"uid": uid, **told, "ts": place_of(uid).ts, "flagged": flagged}


def _joined(edges: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for start, end in edges:
        found.setdefault(start, set()).add(end)
    return found


def pick(row: Mapping[str, Any], names: Iterable[str]) -> Row:
    return {name: row[name] for name in names}


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}
