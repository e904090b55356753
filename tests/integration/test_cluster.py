"""Eight lanes on a real cluster of three masters: routing, moving slots, losing masters."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis.crc import key_slot

from schemas.topology import Topology
from streams.cluster import ClusterClient
from streams.connection import connect, greet, send
from streams.errors import ServerAway, ServerRefused
from streams.keys import PRESENCE
from streams.observe import counters, follow, newest
from streams.publish import Publisher
from streams.quarantine import Quarantine
from streams.replicas import Copies
from supervisor.overview import ServerView
from supervisor.survey import survey
from tests.servers.cluster import Cluster, running_cluster
from tests.servers.laned import (
    LANED,
    LANES,
    SENSORS,
    Producer,
    lane_of,
    outgoing,
    publisher,
    results,
    shares,
    undisturbed,
)
from tests.servers.pipeline import settled, topology_from, until
from tests.servers.processes import Workers, workers
from tests.servers.supervised import House, up
from workers.__main__ import EXIT_REFUSED

KEY = "IN{0}"


@pytest.fixture(scope="module", params=["valkey", "redis"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with running_cluster(request.param) as found:
        yield found


@pytest.fixture
def client(cluster: Cluster) -> Iterator[ClusterClient]:
    for server in cluster.living():
        with server.client() as node:
            if send(node, "ROLE")[0] == b"master":
                send(node, "FLUSHALL")
    with cluster.client() as client:
        assert isinstance(client, ClusterClient)
        yield client


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(LANED, tmp_path)


@pytest.fixture
def processes(
    cluster: Cluster, client: ClusterClient, topology: Topology, tmp_path: Path
) -> Iterator[Workers]:
    with workers(cluster, tmp_path / "streams.yaml") as found:  # type: ignore[arg-type]
        for name in ("gate", "numbered"):
            found.start(name)
        until(lambda: shares(client, "numbered") == [LANES] == shares(client, "gate"))
        yield found


def quiet(client: ClusterClient, topology: Topology) -> bool:
    try:
        return settled(client, topology)
    except ServerAway:
        return False


def at_peace(client: ClusterClient, topology: Topology) -> dict[str, list[tuple[int, int]]]:
    """The results, or none yet: a command may still meet a node that is gone, and then learns."""
    try:
        return results(client, topology)
    except ServerAway:
        return {}


def calls(cluster: Cluster, command: str) -> int:
    """How often the nodes were sent a command."""
    found = 0
    for server in cluster.living():
        with server.client() as node:
            stats: dict[str, Any] = node.info("commandstats")
            found += stats.get(f"cmdstat_{command}", {}).get("calls", 0)
    return found


def test_every_message_is_settled_once_and_a_lane_lies_in_one_slot(
    cluster: Cluster, client: ClusterClient, topology: Topology, processes: Workers
) -> None:
    publisher(client).publish_batch("IN", map(outgoing, range(800)))
    until(lambda: sum(map(len, results(client, topology).values())) == 800)
    assert results(client, topology) == undisturbed(range(800))
    for lane in range(LANES):
        ours = sum(lane_of(sensor) == lane for sensor in SENSORS)
        assert send(client, "XLEN", f"OUT{{{lane}}}") == 800 * ours // len(SENSORS)
    slots = {key_slot(f"{{{lane}}}".encode()) for lane in range(LANES)}
    for server in cluster.living():
        with server.client() as node:
            names: list[bytes] = send(node, "KEYS", "*")
        assert {key_slot(name) for name in names} <= slots | {key_slot(PRESENCE.encode())}
    assert calls(cluster, "command") == calls(cluster, "command|getkeys") == 0


def test_readers_see_the_lanes_merged(
    client: ClusterClient, topology: Topology, processes: Workers
) -> None:
    arriving = follow(client, topology, "OUT", 0.4, {f"OUT{{{k}}}": "0" for k in range(LANES)})
    publisher(client).publish_batch("IN", map(outgoing, range(200)))
    seen = []
    while len(seen) < 200:
        seen += next(arriving)
    assert {entry.stream for entry in seen} == {f"OUT{{{lane_of(s)}}}" for s in SENSORS}
    ids = [tuple(map(int, e.id.split("-"))) for e in newest(client, topology, "OUT", 50)]
    assert ids == sorted(ids)
    assert len(ids) == 50
    assert counters(client, topology)["gate", "IN", "accepted"] == 200
    send(client, "XADD", "IN{5}", "*", "data", "{}")
    rejected = Quarantine(client, LANES, "BAD", "LINEAGE")
    until(lambda: rejected.size() == 1)
    (patient,) = rejected.list()
    author = {"worker": "release", "worker_kind": "release", "run": "a test"}
    uid = rejected.release(patient.entry.uid, author)
    assert uid.startswith("IN{5}/")
    until(lambda: [item.entry.uid for item in rejected.list()] not in ([], [patient.entry.uid]))
    rejected.drop(rejected.list()[0].entry.uid)
    view = ServerView(kind="configured", url="", version=greet(client))
    overview = survey(client, topology, view, time.time())
    assert (overview.ready, overview.server.reachable) == (True, True)
    assert [worker.processes[0].lanes for worker in overview.workers] == [tuple(range(LANES))] * 2


def test_a_slot_that_moves_while_messages_flow_changes_nothing(
    cluster: Cluster, client: ClusterClient, topology: Topology, processes: Workers
) -> None:
    producer = Producer(client, range(1500))
    until(lambda: len(producer.acknowledged) > 200)
    before = cluster.owner(KEY)
    asked: list[int] = []

    def halfway() -> None:
        with suppress(ServerAway):
            asked.append(send(client, "XLEN", "OUT{0}"))
        asked.append(send(client, "XLEN", "a key that is not there{0}"))

    cluster.move(KEY, halfway=halfway)
    assert asked[-1] == 0
    producer.finish()
    until(lambda: quiet(client, topology))
    assert cluster.owner(KEY) is not before
    assert len(set(producer.acknowledged.values())) == 1500
    assert until(lambda: at_peace(client, topology)) == undisturbed(range(1500))


def test_an_unlike_topology_or_address_is_refused_with_the_next_step(
    cluster: Cluster, client: ClusterClient, topology: Topology, processes: Workers, tmp_path: Path
) -> None:
    topology_from({**LANED, "lanes": 1}, tmp_path)
    processes.start("gate#2")
    assert processes.processes.pop("gate#2").wait(30) == EXIT_REFUSED
    elsewhere = next(s for s in cluster.living() if s is not cluster.owner(KEY))
    with (
        connect(elsewhere.url) as single,
        pytest.raises(ServerRefused, match=r"redis\+cluster://"),
    ):
        send(single, "XLEN", KEY)


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_what_was_confirmed_by_a_replica_outlives_its_master_and_nothing_is_doubled(
    kind: str, topology: Topology, tmp_path: Path
) -> None:
    with (
        running_cluster(kind) as cluster,
        cluster.client() as client,
        workers(cluster, tmp_path / "streams.yaml") as processes,  # type: ignore[arg-type]
    ):
        for name in ("gate", "numbered"):
            processes.start(name)
        until(lambda: shares(client, "numbered") == [LANES] == shares(client, "gate"))
        producer = Producer(client, range(1000), copies=Copies(1))
        until(lambda: len(producer.acknowledged) > 200)
        gone = cluster.kill_owner(KEY)
        cluster.await_failover(KEY, gone)
        gone.start()  # as a replica of its successor, or there would be none to confirm anything
        producer.finish()
        until(lambda: quiet(client, topology))
        assert until(lambda: at_peace(client, topology)) == undisturbed(range(1000))


def test_without_confirmation_a_failover_loses_what_the_replica_had_not_got_and_no_more(
    topology: Topology, tmp_path: Path
) -> None:
    with (
        running_cluster("valkey") as cluster,
        cluster.client() as client,
        workers(cluster, tmp_path / "streams.yaml") as processes,  # type: ignore[arg-type]
    ):
        for name in ("gate", "numbered"):
            processes.start(name)
        until(lambda: shares(client, "numbered") == [LANES] == shares(client, "gate"))
        Producer(client, range(200)).finish()
        until(lambda: quiet(client, topology))
        replica = cluster.cut_replica(KEY)
        late = Producer(client, range(200, 400))
        late.finish()  # acknowledged, and on one machine only
        known = next(n for n in range(200) if lane_of(SENSORS[n % len(SENSORS)]) == 0)
        with pytest.raises(ServerAway, match="0 of 1 replicas"):
            Publisher(client, lanes=LANES, copies=Copies(1, 0.05)).publish("IN", outgoing(known))
        gone = cluster.kill_owner(KEY)
        replica.kill(signal.SIGCONT)
        cluster.await_failover(KEY, gone)
        Producer(client, range(400, 600)).finish()
        until(lambda: quiet(client, topology))
        found = until(lambda: at_peace(client, topology))
        lanes_lost = {lane for lane in range(LANES) if cluster.owner(f"{{{lane}}}") is replica}
        for sensor, complete in undisturbed(range(600)).items():
            gone_with_it = range(200, 400) if lane_of(sensor) in lanes_lost else ()
            left = [message for message, _ in complete if message not in gone_with_it]
            assert found[sensor] == [(message, n + 1) for n, message in enumerate(left)]


def test_a_command_whose_reply_does_not_come_is_not_sent_again(
    cluster: Cluster, client: ClusterClient
) -> None:
    with cluster.client(timeout_s=0.3) as hasty:
        send(hasty, "XADD", KEY, "*", "data", "first")
        owner = cluster.owner(KEY)
        owner.kill(signal.SIGSTOP)
        with pytest.raises(ServerAway):
            send(hasty, "XADD", KEY, "*", "data", "second")
        owner.kill(signal.SIGCONT)
        until(lambda: send(client, "XLEN", KEY) >= 2)
        send(hasty, "XADD", KEY, "*", "data", "third")
    assert send(client, "XLEN", KEY) == 3


@pytest.mark.parametrize("cluster", ["valkey"], indirect=True)
def test_the_command_line_runs_eight_lanes_on_a_cluster_with_a_process_a_worker(
    cluster: Cluster, client: ClusterClient, topology: Topology, tmp_path: Path
) -> None:
    tree = {**LANED, "workers": {**LANED["workers"]}}
    tree["workers"]["numbered"] = {**tree["workers"]["numbered"], "call": "authored:counting"}
    house = House(tmp_path / "house", tree, {"PENSTOCK_REDIS_URL": cluster.url})
    with up(house) as done:
        assert done.returncode == 0, done.stderr
        rows = [house.worker(name) for name in ("gate", "numbered")]
        assert [len(row["processes"]) for row in rows] == [1, 1]
        assert [row["processes"][0]["lanes"] for row in rows] == [list(range(LANES))] * 2
        os.kill(rows[1]["processes"][0]["pid"], signal.SIGKILL)
        publisher(client).publish_batch("IN", map(outgoing, range(80)))
        until(lambda: len(newest(client, topology, "OUT", 100)) == 80)
        until(lambda: house.worker("numbered")["restarts"] == 1)
        told = house.run("tail", "OUT", "-n", "80", "--json").stdout.splitlines()
        shown = {json.loads(line)["uid"].partition("/")[0] for line in told}
        assert shown == {f"OUT{{{lane_of(sensor)}}}" for sensor in SENSORS}
