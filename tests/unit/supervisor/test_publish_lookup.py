"""Which streams the commands take, by what the topology says of them."""

from pathlib import Path

import pytest
import typer

from schemas.topology import Topology
from schemas.topology_file import load_topology
from supervisor.lookup import event_streams, known_stream, rejection_streams, source_stream

REFERENCE = Path(__file__).parents[3] / "streams.yaml"


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load_topology(REFERENCE)


def test_an_unknown_stream_is_answered_with_the_nearest_name(topology: Topology) -> None:
    assert known_stream(topology, "L3") == "L3"
    with pytest.raises(typer.BadParameter, match="did you mean 'L3_IN'"):
        known_stream(topology, "L3_INN")


def test_where_no_name_is_near_all_are_named(topology: Topology) -> None:
    with pytest.raises(typer.BadParameter, match="there are L3_IN, L3, L4_IN"):
        known_stream(topology, "zzzzzzzz")


def test_only_a_source_can_be_published_to(topology: Topology) -> None:
    assert source_stream(topology, "L3_IN") == "L3_IN"
    with pytest.raises(typer.BadParameter, match="the sources are L3_IN, L4_IN"):
        source_stream(topology, "L3")


def test_event_and_rejection_streams_are_found_by_who_writes_them(topology: Topology) -> None:
    assert event_streams(topology, ["anomaly", "drift"]) == ["ANOMALY_EVENTS", "DRIFT_EVENTS"]
    assert event_streams(topology, ["drift"]) == ["DRIFT_EVENTS"]
    assert rejection_streams(topology) == ["SHRINK"]
