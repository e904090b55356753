"""``penstock alerts``, and following what arrives."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams import observe
from streams.connection import Client, send
from streams.observe import newest
from supervisor.demo.data import waterflow
from tests.servers.command import Penstock, add, drift_event, lines
from tests.servers.pipeline import all_entries, until, working

EVENT = drift_event(key="pump")


def test_a_drift_in_what_was_published_becomes_an_alert(
    client: Client, topology: Topology, penstock: Penstock, tmp_path: Path
) -> None:
    file = tmp_path / "flow.jsonl"
    file.write_bytes(b"\n".join(each.payload() for each in waterflow()))
    uids = penstock("publish", "IN", str(file)).stdout.split()
    assert len(uids) == 1_268
    with working(client, topology, "gate", "drift"):
        until(lambda: settled_but_lineage(client, topology))
    found = lines(penstock("alerts", "--json"))
    assert {each["field"] for each in found} == {"measurements.flow_l_s"}
    assert {(each["drift"], each["detector"]) for each in found} == {("data", "conformal")}
    assert all(each["e_value"] > 1.0 and each["size"] and each["since"] for each in found)
    assert penstock("alerts").stdout.count("measurements.flow_l_s") >= len(found) >= 1


def settled_but_lineage(client: Client, topology: Topology) -> bool:
    entries = len(all_entries(client, topology, "OK"))
    positions = send(client, "HGET", "penstock:positions:drift", "position:OK")
    last = newest(client, topology, "OK", 1)
    return entries == 1_268 and positions == last[0].id.encode()


def test_alerts_look_further_back_when_the_newest_are_not_wanted(
    client: Client, penstock: Penstock
) -> None:
    add(client, "FINDINGS", "data", EVENT)
    for _ in range(30):
        add(client, "FINDINGS", "data", drift_event(severity="low"))
    add(client, "FINDINGS", "data", "no event at all")
    found = lines(penstock("alerts", "-n", "2", "--severity", "medium", "--json"))
    assert [each["severity"] for each in found] == ["medium"]


def test_no_alert_so_far_is_said(penstock: Penstock) -> None:
    found = penstock("alerts", "--kind", "drift")
    assert (found.exit_code, found.stdout) == (0, "")
    assert "No such event" in found.stderr


def test_a_kind_that_nobody_looks_for_is_a_mistake(penstock: Penstock) -> None:
    found = penstock("alerts", "--kind", "anomaly")
    assert found.exit_code == 2
    assert "no worker of the kind anomaly" in found.stderr


@pytest.fixture
def an_event_arrives(client: Client, topology: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who follows hears of an event and then presses Ctrl-C."""

    def arriving(*_: Any) -> Iterator[Any]:
        yield []
        add(client, "FINDINGS", "data", EVENT)
        yield newest(client, topology, "FINDINGS", 5)
        raise KeyboardInterrupt

    monkeypatch.setattr(observe, "follow", arriving)


@pytest.mark.usefixtures("an_event_arrives")
@pytest.mark.parametrize("verb", [("tail", "FINDINGS"), ("alerts",)])
def test_follow_ends_by_ctrl_c_after_what_arrived(
    verb: tuple[str, ...], penstock: Penstock
) -> None:
    [told] = lines(penstock(*verb, "--follow", "--json"))
    assert told["uid"].startswith("FINDINGS/")


@pytest.mark.usefixtures("an_event_arrives")
def test_following_alerts_prints_their_table(penstock: Penstock) -> None:
    found = penstock("alerts", "-f")
    assert found.exit_code == 0
    assert "the mean went up" in found.stdout
