"""Finding the demo's way through a topology by what its streams carry."""

from pathlib import Path

import pytest

from schemas.topology import Topology
from schemas.topology_file import TopologyError, load_topology
from supervisor.demo.course import course_of

REFERENCE = Path(__file__).parents[3] / "streams.yaml"


def test_the_reference_topology_has_a_course_to_the_last_layer() -> None:
    course = course_of(load_topology(REFERENCE), REFERENCE)
    assert (course.source, course.gate, course.valid) == ("L3_IN", "gate", "L3")
    assert (course.rejected, course.decisions) == ("SHRINK", "L9")
    assert (course.anomalies, course.drifts) == (("ANOMALY_EVENTS",), ("DRIFT_EVENTS",))
    assert course.share == 0.01


def topology(schema: str, *, source: bool = True) -> Topology:
    return Topology.model_validate(
        {
            "version": 1,
            "dead_letters": "DEAD",
            "lineage": "LINES",
            "streams": {
                "IN": {"schema": schema, "source": source},
                "OK": {"schema": schema, "sink": True},
                "BAD": {"schema": "schemas:Rejection", "sink": True},
                "DEAD": {"schema": "schemas:DeadLetter", "sink": True},
                "LINES": {"schema": "schemas:LineageRecord", "sink": True},
            },
            "workers": {
                "other": {
                    "kind": "transform",
                    "call": "reference.hunt:hunt",
                    "reads": ["OK"],
                    "writes": ["BAD"],
                },
                "door": {"kind": "gate", "routes": {"IN": "OK"}, "rejects_to": "BAD"},
            },
        }
    )


def test_names_do_not_matter_and_detectors_may_be_missing() -> None:
    course = course_of(topology("schemas.l3_event:L3EventSchema"), REFERENCE)
    assert (course.source, course.gate, course.valid, course.rejected) == (
        "IN",
        "door",
        "OK",
        "BAD",
    )
    assert (course.anomalies, course.drifts, course.share) == ((), (), None)


def test_readings_that_lead_to_no_further_layer_lead_to_no_decision() -> None:
    tree = topology("schemas:L3EventSchema").model_dump(by_alias=True)
    del tree["workers"]["other"]
    assert course_of(Topology.model_validate(tree), REFERENCE).decisions is None


@pytest.mark.parametrize(
    "unfit",
    [topology("schemas:L4IntelSchema"), topology("schemas:L3EventSchema", source=False)],
    ids=["another schema", "no source"],
)
def test_a_topology_without_a_source_of_readings_is_refused_with_the_remedy(
    unfit: Topology,
) -> None:
    with pytest.raises(TopologyError, match="run it with the reference topology"):
        course_of(unfit, REFERENCE)
