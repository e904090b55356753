"""The budget of false alarms: what workers make of their share, and what is told of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.findings import DriftEvent
from schemas.topology import Topology
from schemas.topology_budget import share_of
from schemas.topology_workers import DriftWorkerSettings
from streams.connection import Client, send
from streams.keys import Lane
from tests.servers.command import Penstock, add, drift_event, one
from tests.servers.pipeline import (
    SMALL,
    all_entries,
    data_of,
    reading,
    topology_from,
    until,
    working,
)
from workers.drift import Drift

FINDINGS = {"schema": "schemas:DriftEvent", "sink": True}
STRANGE = {"schema": "schemas:AnomalyEvent", "sink": True}
WATCHED: dict[str, Any] = SMALL | {
    "budget": {"false_alarms": 1, "per": "30d"},
    "streams": SMALL["streams"] | {"FINDINGS": FINDINGS, "STRANGE": STRANGE},
    "workers": SMALL["workers"]
    | {
        "drift": {"kind": "drift", "watch": {"OK": {}}, "writes": "FINDINGS"},
        "odd": {"kind": "anomaly", "watch": {"OK": {}}, "writes": "STRANGE"},
    },
}
CLASSIC = {
    "kind": "drift",
    "watch": {"IN": {}},
    "writes": "FINDINGS",
    "detectors": {"profile": "classic"},
}


@pytest.fixture
def tree() -> dict[str, Any]:
    return WATCHED


def alarm(client: Client, field: str, detector: str = "conformal", stream: str = "OK") -> None:
    event = drift_event(stream=stream, field=field, detector=detector, message=f"{stream}/18-0")
    add(client, "FINDINGS", "data", event)


def test_a_worker_holds_its_alarms_to_its_share_and_finds_a_change(
    client: Client, topology: Topology
) -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(size=1500) + np.repeat([0.0, 2.0], [1000, 500])
    for second, value in enumerate(values):
        entry_id = f"{1_700_000_000_000 + 1000 * second}-0"
        send(client, "XADD", "OK", entry_id, "data", reading(x=float(value)))
    with working(client, topology, "drift"):
        until(lambda: settled_drift(client))
    [event] = [DriftEvent.model_validate_json(d) for d in data_of(found_in(client, topology))]
    assert event.field == "measurements.x"
    assert event.threshold == 1.0  # of the expected false alarms that are paid for
    assert 1000 <= (event.at_ms - 1_700_000_000_000) / 1000 <= 1060


def settled_drift(client: Client) -> bool:
    last = send(client, "XREVRANGE", "OK", "+", "-", "COUNT", 1)[0][0]
    return bool(send(client, "HGET", "penstock:positions:drift", "position:OK") == last)


def found_in(client: Client, topology: Topology) -> list[Any]:
    return all_entries(client, topology, "FINDINGS")


def test_a_state_made_under_another_budget_is_not_gone_on_with(
    topology: Topology, tmp_path: Path
) -> None:
    def fingerprint(topology: Topology) -> str:
        settings = topology.workers["drift"]
        assert isinstance(settings, DriftWorkerSettings)
        return Drift(topology, settings, "drift", Lane()).fingerprint

    other = topology_from(WATCHED | {"budget": {"false_alarms": 2, "per": "30d"}}, tmp_path)
    assert share_of(other, "drift", "OK") == 2 * (share_of(topology, "drift", "OK") or 0.0)
    none = topology_from({k: v for k, v in WATCHED.items() if k != "budget"}, tmp_path)
    assert len({fingerprint(each) for each in (topology, other, none)}) == 3


def test_what_is_allowed_raised_and_left_is_told_by_worker_stream_and_field(
    client: Client, penstock: Penstock
) -> None:
    assert one(penstock("budget", "--json"))["left"] == 1.0
    for field in ("x", "x", "y"):
        alarm(client, field)
    alarm(client, "x", detector="adwin")
    add(client, "FINDINGS", "data", "{}")  # no event
    add(client, "STRANGE", "data", "{}")
    found = one(penstock("budget", "--json"))
    assert (found["allowed"], found["spent"], found["outside"], found["left"]) == (1.0, 3, 1, 0.0)
    assert found["anomalies"] == 1
    assert [(r["worker"], r["stream"], r["field"], r["alarms"]) for r in found["raised"]] == [
        ("drift", "OK", "x", 2),
        ("drift", "OK", "y", 1),
        ("drift", "OK", "x", 1),
    ]
    [share] = found["shares"]
    assert (share["worker"], share["stream"]) == ("drift", "OK")
    assert (share["allowed"], share["tests"]) == pytest.approx((0.9, 0.1))
    shown = penstock("budget").stdout
    assert "allowed    1 false alarms in 30 d" in shown
    assert "3 by detectors that keep to the budget; 2 more than chance would bring" in shown
    assert "not covered" in shown
    assert "of tests" in shown


def test_alarms_of_tests_with_p_values_are_within_the_budget(
    client: Client, penstock: Penstock
) -> None:
    alarm(client, "site", detector="categories")
    found = one(penstock("budget", "--json"))
    assert (found["spent"], found["outside"]) == (1, 0)


def test_alarms_before_the_window_are_not_counted(client: Client, penstock: Penstock) -> None:
    alarm(client, "x")
    [(_, fields)] = send(client, "XRANGE", "FINDINGS", "-", "+")
    send(client, "DEL", "FINDINGS")
    send(client, "XADD", "FINDINGS", "1700000000000-0", *fields)
    assert one(penstock("budget", "--json"))["spent"] == 0


def test_detectors_outside_the_budget_are_said_plainly(
    client: Client, tmp_path: Path, penstock: Penstock
) -> None:
    streams = WATCHED["streams"] | {"IN": SMALL["streams"]["IN"]}
    workers = WATCHED["workers"] | {"old": CLASSIC}
    topology_from(WATCHED | {"streams": streams, "workers": workers}, tmp_path)
    alarm(client, "x", detector="psi", stream="IN")
    shown = penstock("budget").stdout
    assert "old: psi: its threshold bounds no rate of false alarms" in shown
    assert "old: ks" not in shown  # its levels keep to the budget
    assert "odd: all: it flags 1.00% of the messages by design" in shown
    assert "drift: conformal" not in shown
    found = one(penstock("budget", "--json"))
    assert (found["spent"], found["outside"]) == (0, 1)
    assert found["raised"][0]["worker"] == "old"


def test_without_a_budget_that_is_said(client: Client, tmp_path: Path, penstock: Penstock) -> None:
    topology_from({k: v for k, v in WATCHED.items() if k != "budget"}, tmp_path)
    alarm(client, "x")
    shown = penstock("budget").stdout
    assert "no budget: each detector has its own run_length" in shown
    assert "1 drift alarms" in shown
    found = one(penstock("budget", "--json"))
    assert (found["allowed"], found["left"], found["outside"]) == (None, None, 1)
