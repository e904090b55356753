"""A detect worker stands in the topology as an anomaly and a drift worker of one name do."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.topology import Topology
from schemas.topology_budget import p_value_alpha_of, share_of, shares
from schemas.topology_file import TopologyError, load_topology
from schemas.topology_graph import Edge, edges, exclusive, readers, watching
from schemas.topology_schemas import problems
from schemas.topology_workers import AnomalyWorkerSettings, DriftWorkerSettings
from streams.acl import roles
from supervisor.baseline_traffic import patterns_of
from supervisor.lookup import event_streams
from tests.servers.pipeline import SMALL

WATCH = {"OK": {"key": "sensor_id", "fields": ["x.*"]}, "FED": {"fields": ["y"]}}
STREAMS = SMALL["streams"] | {
    "FED": {"schema": "schemas:L3EventSchema", "source": True},
    "ODD": {"schema": "schemas:AnomalyEvent", "sink": True},
    "MOVED": {"schema": "schemas:DriftEvent", "sink": True},
}
BOTH = {
    "kind": "detect",
    "watch": WATCH,
    "max_batch": 700,
    "anomaly": {"writes": "ODD", "detectors": {"robust_z": True}},
    "drift": {"writes": "MOVED", "detectors": {"ks": {}}},
}
DRIFT = {"kind": "drift", "watch": WATCH, "writes": "MOVED", "detectors": {"ks": {}}}


def topology(**workers: Any) -> Topology:
    budget = {"false_alarms": 2, "per": 1000}
    workers = SMALL["workers"] | workers
    return Topology.model_validate(
        SMALL | {"streams": STREAMS, "workers": workers, "budget": budget}
    )


def test_it_is_both_workers_with_the_same_streams_and_its_own_ways_of_running() -> None:
    both = dict(topology(both=BOTH).workers)["both"]
    [(_, anomaly), (_, drift)] = [
        each for each in watching(topology(both=BOTH)) if each[0] == "both"
    ]
    assert isinstance(anomaly, AnomalyWorkerSettings)
    assert isinstance(drift, DriftWorkerSettings)
    assert set(anomaly.watch) == set(drift.watch) == {"OK", "FED"}
    assert anomaly.max_batch == drift.max_batch == both.max_batch == 700
    assert (anomaly.writes, drift.writes) == ("ODD", "MOVED")
    assert anomaly.detectors.robust_z
    assert drift.detectors.ks is not None
    assert exclusive(both)


def test_it_reads_what_it_watches_and_writes_to_both_streams() -> None:
    found = topology(both=BOTH)
    assert "both" in readers(found, "OK")
    ways = {edge for edge in edges(found) if edge.worker == "both"}
    assert ways == {Edge("both", read, out) for read in ("OK", "FED") for out in ("ODD", "MOVED")}
    assert event_streams(found, ["anomaly"])[-1] == "ODD"
    assert event_streams(found, ["drift"])[-1] == "MOVED"
    assert patterns_of(found, "FED") == ["y"]


def test_its_part_of_the_budget_is_that_of_a_drift_worker() -> None:
    both, drift = topology(one=BOTH), topology(one=DRIFT)
    assert shares(both) == shares(drift)
    for stream in WATCH:
        assert share_of(both, "one", stream) == share_of(drift, "one", stream)
        assert p_value_alpha_of(both, "one", stream) == p_value_alpha_of(drift, "one", stream)


def test_its_user_may_write_both_streams() -> None:
    [role] = [each for each in roles(topology(both=BOTH)) if each.user == "penstock-both"]
    writing = [grant.keys for grant in role.grants if grant.commands[0] == "xadd"]
    assert {"%W~ODD", "%W~MOVED"} <= set(writing[0])


def test_streams_that_do_not_exist_are_told_with_their_place() -> None:
    wrong = BOTH | {"anomaly": {"writes": "OOD"}, "drift": {"writes": "MOVE"}}
    found = [each for each in problems(topology(both=wrong)) if "names stream" in each.text]
    assert [each.path[2:] for each in found] == [("anomaly", "writes"), ("drift", "writes")]
    assert "did you mean 'ODD'?" in found[0].text


def test_a_fault_in_one_of_its_parts_is_told_where_it_stands_in_the_file(tmp_path: Any) -> None:
    path = tmp_path / "streams.yaml"
    path.write_text(
        "version: 1\ndead_letters: D\nlineage: L\nstreams: {A: {schema: 's:S'}}\nworkers:\n"
        "  both:\n    kind: detect\n    watch: {A: {}}\n    anomaly: {writes: A}\n"
        "    drift:\n      write: A\n"
    )
    with pytest.raises(TopologyError, match=r"workers.both.drift.write'.*streams.yaml:11"):
        load_topology(path)


def test_each_part_has_to_say_where_its_events_go() -> None:
    with pytest.raises(ValidationError, match=r"drift\n.*[Ff]ield required"):
        topology(both={name: value for name, value in BOTH.items() if name != "drift"})
