"""Stateful workers after a crash: the same events as if nothing had happened, at any instant."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.message import Derived, Message
from schemas.topology import Topology
from streams.connection import Client, send
from streams.groups import group_rows
from streams.keys import Lane
from tests.servers.crashing import ForgetsWhile, run_until_killed, start_dying
from tests.servers.pipeline import (
    READING,
    SMALL,
    all_entries,
    data_of,
    readings,
    settled,
    start_worker,
    topology_from,
    until,
)
from workers.handler import StatefulHandler
from workers.kinds import build_handler

QUICK = {
    "half_space_trees": {"n_trees": 5, "height": 4, "window": 50},
    "quantile": {"window": 500, "warm_up": 100, "stride": 50},
    "incidents": {"quiet": 20},
}
WATCHING: dict[str, Any] = {
    **SMALL,
    "streams": {
        **SMALL["streams"],
        "OK": {"schema": READING, "source": True, "layer": 3, "retention": {"age": "9999d"}},
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
        "SUMS": {"schema": READING, "sink": True},
        "LABELS": {"schema": "schemas:Label", "source": True, "retention": {"age": "9999d"}},
        "WORSE": {"schema": "schemas:DriftEvent", "sink": True},
    },
    "workers": {
        **SMALL["workers"],
        "anomaly": {
            "kind": "anomaly",
            "max_batch": 64,
            "checkpoint_every": "10ms",
            "watch": {"OK": {"key": "sensor_id", "fields": ["measurements.*"]}},
            "writes": "EVENTS",
            "detectors": QUICK,
        },
        "drift": {
            "kind": "drift",
            "max_batch": 64,
            "watch": {"OK": {"fields": ["measurements.*"]}},
            "writes": "DRIFTS",
        },
        "quality": {
            "kind": "drift",
            "max_batch": 64,
            "checkpoint_every": "10ms",
            "watch": {"LABELS": {"labels": {"calibration": {"n_ref": 200, "n_cur": 200}}}},
            "writes": "WORSE",
        },
        "summing": {
            "kind": "transform",
            "call": "tests.integration.test_state:summing",
            "reads": ["OK"],
            "writes": ["SUMS"],
            "max_batch": 64,
            "memory": True,
        },
    },
}
OUTPUTS = {"anomaly": "EVENTS", "drift": "DRIFTS", "summing": "SUMS", "quality": "WORSE"}


def summing(message: Message[Any], memory: dict[str, Any]) -> Iterator[Derived]:
    """Emit the running sum at every 50th reading, with all 50 as its parents."""
    memory["sum"] = memory.get("sum", 0.0) + message.event.measurements["x"]
    memory["seen"] = [*memory.get("seen", []), message.uid]
    if len(memory["seen"]) == 50:
        event = message.event.model_dump(mode="json") | {"measurements": {"sum": memory["sum"]}}
        yield Derived(event, parents=memory["seen"])
        memory["seen"] = []


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(WATCHING, tmp_path)


def shifted(count: int) -> list[bytes]:
    """Readings whose field y jumps in the middle."""
    found = [json.loads(data) for data in readings(count)]
    for item in found[count // 2 :]:
        item["measurements"]["y"] += 3.0
    return [json.dumps(item).encode() for item in found]


def fill(client: Client, count: int = 1500) -> None:
    """The same entries with the same ids in every run."""
    send(client, "FLUSHALL")
    for number, data in enumerate(shifted(count)):
        send(client, "XADD", "OK", f"{1000 + number}-0", "data", data)


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


def emitted(client: Client, topology: Topology, worker: str) -> list[tuple[bytes, bytes | None]]:
    """Payload and parents of what a worker emitted, in order."""
    entries = all_entries(client, topology, OUTPUTS[worker])
    return [(entry.get(b"data") or b"", entry.get(b"parents")) for entry in entries]


def finish(client: Client, topology: Topology, worker: str) -> list[tuple[bytes, bytes | None]]:
    running = start_worker(client, topology, worker)
    until(lambda: settled(client, topology))
    running.stop()
    return emitted(client, topology, worker)


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


def test_a_rebuilt_state_leaves_out_what_became_a_dead_letter(
    client: Client, tmp_path: Path
) -> None:
    quick = {**WATCHING["workers"]["summing"], "max_attempts": 1}
    workers = {**WATCHING["workers"], "summing": quick}
    topology = topology_from({**WATCHING, "workers": workers}, tmp_path)
    payloads = shifted(400)
    payloads[30] = payloads[31] = payloads[150] = b"{"

    def run(*, tampered: bool) -> list[tuple[bytes, bytes | None]]:
        send(client, "FLUSHALL")
        for start in (0, 200):
            for number, data in list(enumerate(payloads))[start : start + 200]:
                send(client, "XADD", "OK", f"{1000 + number}-0", "data", data)
            found = finish(client, topology, "summing")
            if tampered:
                send(client, "SETRANGE", "penstock:checkpoint:summing", 60, b"\x00\x01\x02")
        return found

    undisturbed = run(tampered=False)
    assert len(undisturbed) == 7
    assert run(tampered=True) == undisturbed
    assert send(client, "XLEN", "DEAD_LETTER") == 3


def test_a_rebuilt_state_is_not_handed_what_ended_its_process(
    client: Client, topology: Topology
) -> None:
    def dying() -> ForgetsWhile:
        handler = build_handler(topology, "summing", Lane())
        assert isinstance(handler, StatefulHandler)
        return ForgetsWhile(handler, lambda entry: entry.id == "1030-0")

    fill(client, 200)
    attempts = topology.workers["summing"].max_attempts
    for _ in range(attempts):
        run_until_killed(start_worker(client, topology, "summing", dying()))
    undisturbed = finish(client, topology, "summing")
    assert send(client, "XLEN", "DEAD_LETTER") == 1
    send(client, "SETRANGE", "penstock:checkpoint:summing", 60, b"\x00\x01\x02")
    running = start_worker(client, topology, "summing", dying())
    until(lambda: running.standing.ready)
    running.stop()
    assert emitted(client, topology, "summing") == undisturbed


def test_what_ended_its_process_is_not_replayed_though_its_burial_had_no_checkpoint(
    client: Client, topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying() -> ForgetsWhile:
        handler = build_handler(topology, "summing", Lane())
        assert isinstance(handler, StatefulHandler)
        return ForgetsWhile(handler, lambda entry: entry.id == "1030-0")

    fill(client, 200)
    monkeypatch.setattr("streams.checkpoint._MOST_BYTES", 300)
    for _ in range(topology.workers["summing"].max_attempts):
        run_until_killed(start_worker(client, topology, "summing", dying()))
    for _ in range(2):
        running = start_worker(client, topology, "summing", dying())
        until(lambda: settled(client, topology))
        running.stop()
    assert send(client, "XLEN", "DEAD_LETTER") == 1


def test_a_rebuilt_state_is_replayed_in_batches_no_larger_than_usual(
    client: Client, topology: Topology
) -> None:
    fill(client, 300)
    undisturbed = finish(client, topology, "summing")
    send(client, "SETRANGE", "penstock:checkpoint:summing", 60, b"\x00\x01\x02")
    handler = build_handler(topology, "summing", Lane())
    sizes, handle = [], handler.handle
    handler.handle = lambda batch: sizes.append(len(batch)) or handle(batch)  # type: ignore[method-assign, func-returns-value]
    running = start_worker(client, topology, "summing", handler)
    until(lambda: running.standing.ready)
    running.stop()
    assert sum(sizes) == 300
    assert max(sizes) == topology.workers["summing"].max_batch
    assert emitted(client, topology, "summing") == undisturbed


def test_a_strangers_entry_among_the_dead_letters_stops_nobody(
    client: Client, topology: Topology
) -> None:
    fill(client, 100)
    undisturbed = finish(client, topology, "summing")
    fill(client, 100)
    send(client, "XADD", "DEAD_LETTER", "*", "note", "not a dead letter")
    send(client, "XADD", "DEAD_LETTER", "*", "data", "[1]")
    assert finish(client, topology, "summing") == undisturbed


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


def test_a_state_that_is_too_large_for_a_checkpoint_stops_nobody(
    client: Client,
    topology: Topology,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(client, 400)
    undisturbed = finish(client, topology, "summing")
    fill(client, 400)
    monkeypatch.setattr("streams.checkpoint._MOST_BYTES", 300)
    assert finish(client, topology, "summing") == undisturbed
    assert "checkpoint_skipped" in capsys.readouterr().out


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
