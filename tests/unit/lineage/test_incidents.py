"""Which findings become one incident, and what is said of it."""

from typing import Any

from lineage.answers import answer, depth_met
from lineage.incidents import group, incidents
from lineage.model import DEPTH
from lineage.store import open_store
from tests.servers.lineage_records import commit, output
from tests.servers.lineage_story import ANOMALIES, LAYERS, REJECTION, START_MS, story

END = 2**62


def _finding(uid: str, ts: int, severity: str | None = "low") -> dict[str, Any]:
    told = {"kind": "anomaly", "detector": "d", "summary": uid, "flagged": []}
    return {"uid": uid, "ts": ts, "severity": severity, "stream": "A", **told}


def _cause(finding: str, worker: str | None = None, **rest: Any) -> dict[str, Any]:
    row = {"finding": finding, "stream": "L3", "worker": worker, "worker_kind": "transform"}
    row |= {"worker_version": "1", "source": "pump", "hops": 0, "messages": 1, "first": "L3/1-0"}
    return row | rest


def _uids(found: list[Any]) -> list[tuple[str, ...]]:
    return [incident.findings for incident in found]


def test_findings_of_one_cause_and_time_are_one_incident() -> None:
    findings = [_finding("A/1-0", 1000), _finding("A/2-0", 2000, "high"), _finding("A/9-0", 9000)]
    causes = [_cause(each["uid"], "assess") for each in findings]
    found = group(findings, causes, [], within_s=2.0)
    assert _uids(found) == [("A/9-0",), ("A/1-0", "A/2-0")]
    assert (found[1].severity, found[1].cause, found[1].kinds) == (
        "high",
        "assess 1",
        {"anomaly": 2},
    )
    assert (found[1].first_ts, found[1].last_ts) == (1000, 2000)


def test_a_chain_of_findings_is_one_incident_however_long() -> None:
    findings = [_finding(f"A/{n}-0", n * 1000) for n in range(100)]
    causes = [_cause(each["uid"], "assess") for each in findings]
    assert len(group(findings, causes, [], within_s=1.0)) == 1


def test_different_causes_are_different_incidents_unless_one_is_downstream() -> None:
    findings = [_finding("A/1-0", 1000), _finding("A/2-0", 2000)]
    causes = [_cause("A/1-0", "assess"), _cause("A/2-0", "hunt")]
    link = [{"finding": "A/2-0", "upstream": "A/1-0"}]
    assert len(group(findings, causes, [], within_s=60.0)) == 2
    assert len(group(findings, causes, link, within_s=60.0)) == 1
    assert len(group(findings, causes, link, within_s=0.5)) == 2


def test_a_gate_is_no_cause_as_it_only_forwards() -> None:
    gate = _cause("A/1-0", "gate", worker_kind="gate")
    source = _cause("A/1-0", None, worker_kind=None, stream="L3_IN", hops=1)
    (found,) = group([_finding("A/1-0", 1)], [gate, source], [], within_s=1.0)
    assert found.cause == "pump of L3_IN"
    nameless = source | {"source": None}
    (found,) = group([_finding("A/1-0", 1)], [gate, nameless], [], within_s=1.0)
    assert found.cause == "an unnamed producer of L3_IN"


def test_findings_that_flag_nothing_stay_apart() -> None:
    found = group([_finding("A/1-0", 1, None), _finding("A/2-0", 1, None)], [], [], within_s=9.0)
    assert len(found) == 2
    assert (found[0].cause, found[0].severity) == ("unknown", None)


def test_an_incident_of_the_store_has_its_causal_path() -> None:
    with open_store("sqlite::memory:", LAYERS) as store:
        store.write(story())
        (row,) = incidents(store, 0, END).rows
        assert incidents(store, START_MS + 7, END).rows == ()
    assert row["findings"] == (*ANOMALIES, REJECTION)
    assert row["kinds"] == {"anomaly": 2, "rejection": 1}
    assert row["cause"] == "pump-7 of L3_IN"
    stops = ("L3_IN (pump-7)", "L3 (gate 0.1.0)", "L8_IN (hunt 0.1.0)", "SHRINK (gate 0.1.0)")
    assert row["path"] == stops


def test_a_finding_in_a_forged_circle_has_no_path() -> None:
    circle = [
        commit(1, output("L3", "L3/2-0")),
        commit(2, output("L3", "L3/1-0")),
        commit(3, output("SHRINK", "L3/1-0", flags=["L3/1-0"])),
    ]
    with open_store("sqlite::memory:", LAYERS) as store:
        store.write(circle)
        (row,) = incidents(store, 0, END).rows
    assert row["cause"] == "worker_1 0.1.0"


def test_a_bound_that_is_met_is_said() -> None:
    with open_store("sqlite::memory:", LAYERS) as store:
        store.write(story())
        assert incidents(store, 0, END, limit=2).cut == ("only the newest 2 findings were grouped",)
        assert incidents(store, 0, END, limit=3).cut == ()
    assert len(answer("q", [{"hops": 0}] * 3, limit=2).cut) == 1
    assert depth_met([{"hops": DEPTH - 1}]) == ()
    assert f"for {DEPTH} derivations" in depth_met([{"deepest": DEPTH}])[0]
