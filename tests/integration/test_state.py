"""Stateful workers after a crash: the same events as if nothing had happened, at any instant."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.topology import Topology
from streams.connection import Client, send
from streams.groups import group_rows
from tests.servers.crashing import run_until_killed, start_dying
from tests.servers.pipeline import (
    READING,
    SMALL,
    all_entries,
    data_of,
    start_worker,
    topology_from,
    until,
)
from tests.servers.stateful import QUICK, WATCHING, fill, finish, shifted


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(WATCHING, tmp_path)


def fill_labels(client: Client, count: int = 1500) -> None:
    """Predictions, each with its label eleven messages later; they get worse in the middle."""
    send(client, "FLUSHALL")
    for number in range(count):
        uid, before = f"L5/{number}-0", f"L5/{number - 11}-0"
        is_right = number % 10 if number < count // 2 else number % 2
        said = {"message": uid, "prediction": "a", "confidence": 0.9}
        known = {"message": before, "label": "a" if is_right else "b"}
        for place, half in enumerate((said, known)):
            send(client, "XADD", "LABELS", f"{1000 + number}-{place}", "data", json.dumps(half))


@pytest.mark.parametrize("worker", ["anomaly", "drift", "summing", "quality"])
def test_a_crash_at_any_commit_changes_no_event(
    worker: str, client: Client, topology: Topology
) -> None:
    prepare = fill_labels if worker == "quality" else fill
    prepare(client)
    undisturbed = finish(client, topology, worker)
    assert len(undisturbed) >= 1
    if worker == "anomaly":
        statuses = {json.loads(data)["status"] for data, _ in undisturbed}
        assert statuses >= {"open", "clear"}

    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(crashes=st.lists(st.tuples(st.integers(2, 7), st.booleans()), min_size=1, max_size=3))
    def crash(crashes: list[tuple[int, bool]]) -> None:
        prepare(client)
        for number, after in crashes:
            run_until_killed(start_dying(client, topology, worker, number, after=after))
        assert finish(client, topology, worker) == undisturbed

    crash()


def test_a_checkpoint_that_was_changed_is_refused_and_rebuilt(
    client: Client, topology: Topology, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(client, 1200)
    undisturbed = finish(client, topology, "summing")
    fill(client, 700)
    finish(client, topology, "summing")
    send(client, "SETRANGE", "penstock:checkpoint:summing", 60, b"\x00\x01\x02")
    for number, data in list(enumerate(shifted(1200)))[700:]:
        send(client, "XADD", "OK", f"{1000 + number}-0", "data", data)
    found = finish(client, topology, "summing")
    assert len(found) == len(undisturbed)
    assert [parents for _, parents in found] == [parents for _, parents in undisturbed]
    assert "checkpoint_refused" in capsys.readouterr().out


def test_what_many_consumers_left_is_settled_by_the_one_who_owns_the_lane_now(
    client: Client, topology: Topology
) -> None:
    fill(client, 100)
    undisturbed = finish(client, topology, "summing")
    fill(client, 100)
    send(client, "XGROUP CREATE", "OK", "summing", "0")
    for consumer in ("one", "two"):
        send(client, "XREADGROUP", "GROUP", "summing", consumer, "COUNT", 7, "STREAMS", "OK", ">")
    assert finish(client, topology, "summing") == undisturbed
    names = [row["name"] for row in send(client, "XINFO CONSUMERS", "OK", "summing")]
    assert names == [b"owner"]


def test_changed_settings_start_a_new_state_and_say_so(
    client: Client, topology: Topology, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(client, 300)
    finish(client, topology, "anomaly")
    workers = WATCHING["workers"]
    other = {**workers["anomaly"], "detectors": {**QUICK, "max_keys": 7}}
    changed = topology_from({**WATCHING, "workers": {**workers, "anomaly": other}}, tmp_path)
    finish(client, changed, "anomaly")
    said = capsys.readouterr().out
    assert "state_started_anew" in said
    assert "checkpoint_refused" not in said


def test_trimming_waits_for_the_checkpoint(client: Client, tmp_path: Path) -> None:
    streams = {**WATCHING["streams"], "OK": {"schema": READING, "source": True}}
    rare = {**WATCHING["workers"]["summing"], "checkpoint_every": "1h"}
    tree = {**WATCHING, "streams": streams, "workers": {**SMALL["workers"], "summing": rare}}
    tree["streams"] |= {"EVENTS": {**streams["EVENTS"], "source": True}}
    tree["streams"] |= {"DRIFTS": {**streams["DRIFTS"], "source": True}}
    for unused in ("LABELS", "WORSE"):
        del tree["streams"][unused]
    tree["workers"] = {
        "gate": {"kind": "gate", "routes": {"IN": "RAW"}, "rejects_to": "BAD"},
        "summing": rare,
    }
    tree["streams"]["RAW"] = {"schema": READING, "sink": True}
    topology = topology_from(tree, tmp_path)
    fill(client, 300)
    running = start_worker(client, topology, "summing")
    until(lambda: send(client, "HGET", "penstock:positions:summing", "position:OK") == b"1299-0")
    until(lambda: send(client, "XINFO GROUPS", "OK"))
    first = send(client, "XRANGE", "OK", "-", "+", "COUNT", 1)[0][0]
    floor = send(client, "HGET", "penstock:positions:summing", "floor:OK")
    assert floor is None or int(first.split(b"-")[0]) <= int(floor.split(b"-")[0]) + 1
    running.stop()
    assert send(client, "HGET", "penstock:positions:summing", "floor:OK") == b"1299-0"


def test_a_second_process_waits_for_the_lane(client: Client, topology: Topology) -> None:
    fill(client, 200)
    first = start_worker(client, topology, "summing")
    until(lambda: first.standing.ready)
    second = start_worker(client, topology, "summing")
    until(lambda: second.standing.state == "standby")
    first.stop()
    until(lambda: second.standing.ready)
    assert len(data_of(all_entries(client, topology, "SUMS"))) == 4
    second.stop()


def test_what_came_last_is_in_a_checkpoint_also_when_nothing_follows(
    client: Client, topology: Topology
) -> None:
    fill(client, 200)
    running = start_worker(client, topology, "summing")
    place = "penstock:positions:summing"
    until(lambda: send(client, "HGET", place, "floor:OK") == b"1199-0", 10.0)
    running.stop()


def test_an_entry_for_another_worker_changes_neither_order_nor_state(
    client: Client, tmp_path: Path
) -> None:
    gate = {"kind": "gate", "routes": {"IN": "OK"}, "rejects_to": "BAD"}
    streams = {**WATCHING["streams"], "OK": {"schema": READING, "retention": {"age": "9999d"}}}
    for unused in ("EVENTS", "DRIFTS", "LABELS", "WORSE"):
        del streams[unused]
    summing = {**WATCHING["workers"]["summing"], "checkpoint_every": "1h"}
    workers = {"gate": gate, "summing": summing, "other": {**summing}}
    topology = topology_from({**WATCHING, "streams": streams, "workers": workers}, tmp_path)
    fill(client, 49)
    send(client, "XADD", "OK", "2000-0", "data", shifted(1)[0], "only_for", "other")
    send(client, "XADD", "OK", "2001-0", "data", shifted(1)[0])
    run_until_killed(start_dying(client, topology, "summing", 3, after=True))
    assert send(client, "HGET", "penstock:positions:summing", "position:OK") == b"2001-0"
    running = start_worker(client, topology, "summing")
    until(lambda: settled_by(client, "summing"))
    running.stop()
    assert len(all_entries(client, topology, "SUMS")) == 1


def settled_by(client: Client, worker: str) -> bool:
    rows = [row for row in group_rows(client, "OK") if row["name"] == worker.encode()]
    return bool(rows) and rows[0]["lag"] == 0 and rows[0]["pending"] == 0
