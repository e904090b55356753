"""What is watched can be in the messages, and Penstock's own messages have their schemas."""

from pathlib import Path
from typing import Any

import pytest

from schemas import AnomalyEvent, DriftEvent, L3EventSchema, Rejection
from schemas.topology import Topology
from schemas.topology_file import TopologyError, read_topology
from schemas.topology_schemas import broken_schemas, problems
from tests.servers.pipeline import SMALL, topology_from

HERE = "tests.unit.schemas.test_topology_schemas"
OWN = "schemas:AnomalyEvent"


class Reason(Rejection):
    """A later version of what a gate writes."""


Findings = AnomalyEvent | DriftEvent | L3EventSchema
STREAMS = SMALL["streams"] | {
    "ODD": {"schema": OWN, "source": True, "sink": True},
    "MOVED": {"schema": "schemas:DriftEvent", "source": True, "sink": True},
}


def topology(streams: dict[str, Any] | None = None, **workers: Any) -> Topology:
    return Topology.model_validate(
        SMALL | {"streams": STREAMS | (streams or {}), "workers": SMALL["workers"] | workers}
    )


def anomaly(detectors: Any = None, **watch: Any) -> dict[str, Any]:
    return {
        "kind": "anomaly", "watch": {"OK": watch}, "writes": "ODD", "detectors": detectors or {}
    }  # fmt: skip


def drift(detectors: Any = None, **watch: Any) -> dict[str, Any]:
    return anomaly(detectors, **watch) | {"kind": "drift", "writes": "MOVED"}


def detect(**watch: Any) -> dict[str, Any]:
    limits = {"limits": {"measurement.x": [0, 1]}}
    return {
        "kind": "detect",
        "watch": {"OK": watch},
        "anomaly": {"writes": "ODD", "detectors": {"limits": limits}},
        "drift": {"writes": "MOVED", "detectors": {"codes": ["severty"]}},
    }


@pytest.mark.parametrize(
    ("worker", "at", "meant"),
    [
        (anomaly(fields=["host", "measurments.*"]), "watch OK fields 1", "measurements.*"),
        (anomaly(fields=["measurements"]), "watch OK fields 0", "measurements.*"),
        (anomaly(key="sensorid"), "watch OK key", "sensor_id"),
        (anomaly({"limits": {"limits": {"hots": [0, 1]}}}), "detectors limits limits hots", "host"),
        (drift(fields=["measurments.*"]), "watch OK fields 0", "measurements.*"),
        (drift(predictions=["serial", "sevrity"]), "watch OK predictions 1", "severity"),
        (drift(labels={"label": "severty"}), "watch OK labels label", "severity"),
        (drift({"errors": ["severty"]}), "detectors errors 0", "severity"),
        (detect(key="sensorid"), "watch OK key", "sensor_id"),
        (detect(), "anomaly detectors limits limits measurement.x", "measurements.*"),
        (detect(), "drift detectors codes 0", "severity"),
    ],
)  # fmt: skip
def test_a_path_that_no_message_can_have_is_told_with_its_place_and_the_likely_one(
    worker: dict[str, Any], at: str, meant: str
) -> None:
    found = {" ".join(map(str, each.path[2:])): each.text for each in problems(topology(w=worker))}
    assert f"did you mean {meant!r}?" in found[at]
    assert "no message of 'OK' (schemas:L3EventSchema) has a value at" in found[at]


def test_a_path_like_no_other_is_told_with_what_there_is() -> None:
    (problem,) = problems(topology(w=anomaly(fields=["xyzzy"])))
    assert problem.text.endswith(
        "there are action, alert_id, area, attributes.*, category, destination_port, headline, "
        "host, …"
    )


@pytest.mark.parametrize(
    "worker",
    [
        anomaly(key="sensor_id", fields=["measurements.[xy]", "*", "destination_*"]),
        anomaly({"limits": {"limits": {"measurements.x": [0, 1]}}}),
        drift({"errors": ["*port"]}, labels={}, predictions=["attributes.*"]),
    ],
)
def test_a_path_that_one_of_a_unions_messages_can_have_is_none_to_tell(worker: Any) -> None:
    assert problems(topology(w=worker)) == []


def test_a_limit_may_be_one_of_any_stream_of_its_worker() -> None:
    fed = {"FED": {"schema": "schemas:L5PredictionSchema", "source": True}}
    worker = anomaly({"limits": {"limits": {"confidence": [0, 1], "measurements.x": [0, 1]}}})
    worker["watch"]["FED"] = {}
    assert problems(topology(fed, w=worker)) == []


def test_what_an_unknown_schema_has_is_not_judged() -> None:
    unknown = {name: STREAMS[name] | {"schema": "nowhere:Reading"} for name in ("IN", "OK")}
    found = topology(unknown, w=anomaly({"limits": {"limits": {"amnt": [0, 1]}}}, key="custmer"))
    assert [each.module for each in problems(found)] == ["nowhere"]
    assert broken_schemas(found) == []
    assert [each.path for each in broken_schemas(found, ["w"])] == [("streams", "OK", "schema")]


def test_a_worker_is_told_of_its_own_faults_alone() -> None:
    found = topology(w=anomaly(key="sensorid"), v=anomaly(key="hots"))
    assert [each.path[1] for each in broken_schemas(found, ["w"])] == ["w"]
    assert broken_schemas(found, ["gate"]) == []
    assert [each.path[1] for each in broken_schemas(found)] == ["w", "v"]


@pytest.mark.parametrize(
    ("streams", "worker"),
    [
        ({"ODD": "schemas:DriftEvent"}, anomaly()),
        ({"MOVED": OWN}, drift()),
        ({"MOVED": OWN}, detect(key="host")),
        ({"ODD": "schemas:L3EventSchema"}, detect(key="host")),
        ({"BAD": "schemas:DeadLetter"}, anomaly()),
    ],
)
def test_own_messages_go_to_streams_of_their_schema(streams: Any, worker: Any) -> None:
    wrong = {name: STREAMS[name] | {"schema": schema} for name, schema in streams.items()}
    (problem,) = [each for each in problems(topology(wrong, w=worker)) if each.path[0] == "streams"]
    (stream,) = streams
    assert problem.path == ("streams", stream, "schema")
    right = STREAMS[stream]["schema"]
    assert f"has to be {right!r}, not {streams[stream]!r}" in problem.text


def test_a_union_with_the_right_schema_and_a_version_of_it_will_do() -> None:
    both = {"schema": f"{HERE}:Findings", "sink": True}
    bad = {"BAD": STREAMS["BAD"] | {"schema": f"{HERE}:Reason"}}
    found = topology(bad | {"ODD": both}, w=anomaly(), v=drift() | {"writes": "ODD"}, u=drift())
    assert problems(found) == []


def test_it_is_told_when_a_pipeline_or_a_worker_starts_too(tmp_path: Path) -> None:
    tree = SMALL | {"streams": STREAMS, "workers": SMALL["workers"] | {"w": anomaly(key="hots")}}
    with pytest.raises(TopologyError, match=r"did you mean 'host'\?.*streams\.yaml:\d+"):
        topology_from(tree, tmp_path)
    file = read_topology(tmp_path / "streams.yaml")
    for workers in (None, ["w"]):
        with pytest.raises(TopologyError, match=r"did you mean 'host'\?"):
            file.checked_for(workers)
    assert file.checked_for(["gate"]) == file.topology
