"""A state that is rebuilt: from retained entries, without what was buried, to the same events."""

from pathlib import Path

import pytest

from schemas.topology import Topology
from streams.connection import Client, send
from streams.keys import Lane
from tests.servers.crashing import ForgetsWhile, run_until_killed
from tests.servers.pipeline import settled, start_worker, topology_from, until
from tests.servers.stateful import WATCHING, emitted, fill, finish, shifted
from workers.handler import StatefulHandler
from workers.kinds import build_handler


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(WATCHING, tmp_path)


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


def dying(topology: Topology) -> ForgetsWhile:
    """A handler that ends its process at the message of number 30."""
    handler = build_handler(topology, "summing", Lane())
    assert isinstance(handler, StatefulHandler)
    return ForgetsWhile(handler, lambda entry: entry.id == "1030-0")


def test_a_rebuilt_state_is_not_handed_what_ended_its_process(
    client: Client, topology: Topology
) -> None:
    fill(client, 200)
    attempts = topology.workers["summing"].max_attempts
    for _ in range(attempts):
        run_until_killed(start_worker(client, topology, "summing", dying(topology)))
    undisturbed = finish(client, topology, "summing")
    assert send(client, "XLEN", "DEAD_LETTER") == 1
    send(client, "SETRANGE", "penstock:checkpoint:summing", 60, b"\x00\x01\x02")
    running = start_worker(client, topology, "summing", dying(topology))
    until(lambda: running.standing.ready)
    running.stop()
    assert emitted(client, topology, "summing") == undisturbed


def test_what_ended_its_process_is_not_replayed_though_its_burial_had_no_checkpoint(
    client: Client, topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(client, 200)
    monkeypatch.setattr("streams.checkpoint._MOST_BYTES", 300)
    for _ in range(topology.workers["summing"].max_attempts):
        run_until_killed(start_worker(client, topology, "summing", dying(topology)))
    for _ in range(2):
        running = start_worker(client, topology, "summing", dying(topology))
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
