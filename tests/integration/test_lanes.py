"""Lanes shared by lease: one process serves them all, several share them, the living take over."""

import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from schemas.topology import Topology
from streams.connection import Client, send
from streams.keys import Lane
from streams.presence import present
from tests.servers.laned import (
    LANED,
    LANES,
    SENSORS,
    holders,
    lane_of,
    outgoing,
    publisher,
    results,
    shares,
    undisturbed,
)
from tests.servers.pipeline import settled, start_worker, topology_from, until
from tests.servers.processes import Workers, workers
from tests.servers.stream_server import StreamServer


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(LANED, tmp_path)


@pytest.fixture
def client(valkey_server: StreamServer) -> Iterator[Client]:
    with valkey_server.client() as client:
        send(client, "FLUSHALL")
        yield client


@pytest.fixture
def processes(
    valkey_server: StreamServer, client: Client, topology: Topology, tmp_path: Path
) -> Iterator[Workers]:
    with workers(valkey_server, tmp_path / "streams.yaml") as found:
        yield found


def test_one_process_of_each_worker_serves_all_lanes_and_says_so(
    client: Client, topology: Topology, processes: Workers
) -> None:
    for name in ("gate", "numbered"):
        processes.start(name)
    until(lambda: shares(client, "numbered") == [LANES] and shares(client, "gate") == [LANES])
    publisher(client).publish_batch("IN", map(outgoing, range(800)))
    until(lambda: sum(map(len, results(client, topology).values())) == 800)
    assert results(client, topology) == undisturbed(range(800))
    for lane in range(LANES):
        ours = sum(lane_of(sensor) == lane for sensor in SENSORS)
        assert send(client, "XLEN", f"OUT{{{lane}}}") == 800 * ours // len(SENSORS)
    (line, *_) = [p for p in present(client, 0.0) if p.worker == "numbered"]
    for page in ("readyz", "livez", "metrics"):
        with urlopen(f"http://127.0.0.1:{line.port}/{page}", timeout=5) as answer:
            text = answer.read().decode()
    counted = [x for x in text.splitlines() if x.startswith("penstock_entries_total")]
    accepted = [x for x in counted if not x.endswith(" 0.0")]  # each begins at zero
    assert len(accepted) == len({lane_of(sensor) for sensor in SENSORS})
    assert text.count("\npenstock_resident_memory_bytes{") == 1


def test_a_second_process_gets_its_share_and_kill_9_gives_all_to_the_other(
    client: Client, topology: Topology, processes: Workers
) -> None:
    publish = publisher(client)
    for name in ("gate", "numbered"):
        processes.start(name)
    until(lambda: shares(client, "numbered") == [LANES])
    publish.publish_batch("IN", map(outgoing, range(400)))
    processes.start("numbered#2")
    until(lambda: shares(client, "numbered") == [LANES // 2] * 2)
    publish.publish_batch("IN", map(outgoing, range(400, 1200)))
    until(lambda: sum(map(len, results(client, topology).values())) > 700)
    killed = processes.processes.pop("numbered")
    killed.send_signal(signal.SIGKILL)
    killed.wait(10)
    until(lambda: shares(client, "numbered") == [LANES])
    publish.publish_batch("IN", map(outgoing, range(1200, 1600)))
    until(lambda: settled(client, topology))
    assert results(client, topology) == undisturbed(range(1600))


def test_a_process_that_slept_through_its_leases_finds_its_place_again(
    client: Client, topology: Topology, processes: Workers
) -> None:
    publish = publisher(client)
    for label in ("gate", "numbered", "numbered#2"):
        processes.start(label)
    until(lambda: shares(client, "numbered") == [LANES // 2] * 2)
    processes.freeze("numbered")
    publish.publish_batch("IN", map(outgoing, range(800)))
    until(lambda: sorted(map(len, holders(client, "numbered").values()))[-1] == LANES)
    processes.thaw("numbered")
    until(lambda: shares(client, "numbered") == [LANES // 2] * 2)
    publish.publish_batch("IN", map(outgoing, range(800, 1200)))
    until(lambda: sum(map(len, results(client, topology).values())) == 1200)
    assert results(client, topology) == undisturbed(range(1200))


def test_state_that_is_ahead_of_its_server_is_given_up(client: Client, topology: Topology) -> None:
    """As after a failover that no command of the worker ran into: its last commits are gone."""
    lane = Lane(0, LANES)
    worker = start_worker(client, topology, "numbered", lane=lane)

    def publish_and_await(numbers: range, outputs: int) -> None:
        for number in numbers:
            payload = outgoing(number * len(SENSORS)).payload()
            send(client, "XADD", lane.stream("OK"), "*", "data", payload)
        until(lambda: send(client, "XLEN", lane.stream("OUT")) == outputs)

    publish_and_await(range(20), 20)
    before = {key: send(client, "DUMP", key) for key in send(client, "KEYS", "*{0}")}
    publish_and_await(range(20, 40), 40)
    with client.pipeline() as step:
        for key, value in before.items():
            step.execute_command("RESTORE", key, 0, value, "REPLACE")
        step.execute()
    publish_and_await(range(40, 60), 40)
    worker.stop()
    survivors = [number * len(SENSORS) for number in (*range(20), *range(40, 60))]
    assert results(client, topology) == undisturbed(survivors)
