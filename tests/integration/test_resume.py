"""How a stateful worker goes on where its bookkeeping was disturbed, or an entry ends processes."""

import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from schemas.topology import Topology
from streams.connection import Client, send
from streams.entry import Entry
from streams.keys import Lane
from streams.trim import plan_trim, trim
from tests.servers.crashing import ForgetsWhile, run_until_killed
from tests.servers.laned import LANED
from tests.servers.pipeline import (
    READING,
    reading,
    settled,
    start_worker,
    topology_from,
    until,
)
from tests.servers.processes import workers
from tests.servers.stream_server import StreamServer
from workers.handler import StatefulHandler
from workers.kinds import build_handler

AUTHORS = """
import os

def numbered(message, memory):
    if message.event.measurements["x"] == 666.0:
        os._exit(9)
    memory["n"] = memory.get("n", 0) + 1
    return {**message.event.model_dump(mode="json"), "measurements": {"n": memory["n"]}}
"""


def alone(directory: Path, *, lanes: int = 1, kept: int = 0, **settings: Any) -> Topology:
    """The worker that numbers readings, and nothing before it."""
    fed = {"schema": READING, "source": True}
    streams = {k: v for k, v in LANED["streams"].items() if k not in ("IN", "BAD")}
    streams["OK"] = {**fed, "retention": {"entries": kept}} if kept else fed
    numbered = {**LANED["workers"]["numbered"], **settings}
    tree = {**LANED, "lanes": lanes, "streams": streams, "workers": {"numbered": numbered}}
    return topology_from(tree, directory)


def add(client: Client, *numbers: int, lane: Lane | None = None) -> None:
    for number in numbers:
        key = (lane or Lane()).stream("OK")
        send(client, "XADD", key, f"{number}-0", "data", reading("s", x=float(number)))


def found(client: Client, lane: Lane | None = None) -> list[int]:
    """The numbers that were given, in order."""
    entries = send(client, "XRANGE", (lane or Lane()).stream("OUT"), "-", "+")
    return [int(json.loads(fields[1])["measurements"]["n"]) for _, fields in entries]


def work(client: Client, topology: Topology, total: int, lane: Lane | None = None) -> None:
    """Run the worker until it has numbered so many in all."""
    running = start_worker(client, topology, "numbered", lane=lane)
    until(lambda: len(found(client, lane)) == total)
    running.stop()


def test_a_checkpoint_of_another_lane_is_refused(client: Client, tmp_path: Path) -> None:
    topology = alone(tmp_path, lanes=8, kept=1000)
    lanes = Lane(0, 8), Lane(1, 8)
    add(client, *range(1, 6), lane=lanes[0])
    add(client, 1, 2, lane=lanes[1])
    work(client, topology, 5, lanes[0])
    work(client, topology, 2, lanes[1])
    keys = [lane.checkpoint("numbered") for lane in lanes]
    send(client, "SET", keys[1], send(client, "GET", keys[0]))
    add(client, 3, lane=lanes[1])
    with capture_logs() as told:
        work(client, topology, 3, lanes[1])
    assert found(client, lanes[1]) == [1, 2, 3], "rebuilt from what is retained"
    (line,) = [line for line in told if line["event"] == "checkpoint_refused"]
    assert "another lane's" in line["error"]


@pytest.mark.parametrize("kept", [0, 1000], ids=["trimmed", "retained"])
def test_an_old_checkpoint_is_trusted_only_where_what_followed_is_retained(
    client: Client, tmp_path: Path, kept: int
) -> None:
    topology, key = alone(tmp_path, kept=kept), Lane().checkpoint("numbered")
    add(client, *range(1, 6))
    work(client, topology, 5)
    old = send(client, "GET", key)
    add(client, *range(6, 11))
    running = start_worker(client, topology, "numbered")
    until(lambda: len(found(client)) == 10)
    until(lambda: kept or not send(client, "XLEN", "OK"), what="the trimming")
    running.stop()
    send(client, "SET", key, old)
    add(client, 11)
    with capture_logs() as told:
        work(client, topology, 11)
    refused = [line for line in told if line["event"] == "checkpoint_refused"]
    assert found(client)[-1] == (11 if kept else 1)
    assert len(refused) == (0 if kept else 1)


def test_a_stream_that_begins_anew_is_not_trimmed_before_a_checkpoint_contains_it(
    client: Client, tmp_path: Path
) -> None:
    topology = alone(tmp_path, checkpoint_every="1h")
    add(client, *range(1000, 1010))
    work(client, topology, 10)
    handler = build_handler(topology, "numbered", Lane())
    assert isinstance(handler, StatefulHandler)
    dying = ForgetsWhile(handler, lambda entry: entry.id == "2000-0")
    running = start_worker(client, topology, "numbered", dying)
    until(lambda: running.standing.ready)
    add(client, 1010)
    until(lambda: len(found(client)) == 11)
    with capture_logs() as told:
        send(client, "DEL", "OK")
        until(lambda: [line for line in told if line["event"] == "stream_began_anew"])
        until(lambda: running.standing.ready)
    add(client, *range(10, 15), 1020)  # behind the old floor, and beyond it
    until(lambda: len(found(client)) == 17)
    assert trim(client, Lane(), plan_trim(topology, "OK")) == 0
    add(client, 2000)
    run_until_killed(running)
    work(client, topology, 18)
    assert found(client) == list(range(1, 19))


def test_nothing_is_trimmed_by_the_floor_of_a_stream_that_is_gone(
    client: Client, tmp_path: Path
) -> None:
    topology, places = alone(tmp_path, checkpoint_every="1h"), Lane().positions("numbered")
    add(client, *range(10, 15))
    work(client, topology, 5)
    add(client, *range(20, 25))
    send(client, "XREADGROUP", "GROUP", "numbered", "owner", "STREAMS", "OK", ">")
    send(client, "XACK", "OK", "numbered", *(f"{number}-0" for number in range(20, 25)))
    send(client, "HSET", places, "position:OK", "24-0", "floor:OK", "1010-0")
    assert trim(client, Lane(), plan_trim(topology, "OK")) == 0
    assert send(client, "XLEN", "OK") >= 5


def test_an_entry_that_ends_all_that_replay_it_is_left_out_in_the_end(
    server: StreamServer, tmp_path: Path
) -> None:
    (tmp_path / "authors_numbered.py").write_text(AUTHORS)
    call, log = "authors_numbered:numbered", tmp_path / "numbered.log"
    topology = alone(tmp_path, kept=1000, call=call, max_attempts=2)
    with server.client() as client, workers(server, tmp_path / "streams.yaml") as processes:
        add(client, 1, 2, 666, 700)
        processes.start("numbered")
        until(lambda: len(found(client)) == 3, what="the burial")
        until(lambda: settled(client, topology))
        processes.stop()
        assert send(client, "DEL", "DEAD_LETTER") == 1
        assert send(client, "DEL", Lane().checkpoint("numbered")) == 1
        add(client, 701)
        processes.start("numbered")
        until(lambda: len(found(client)) == 4, what="the end of the replays")
    assert found(client) == [1, 2, 3, 4]
    assert "left_out_of_the_state" in log.read_text()


def test_a_failure_reads_no_dead_letters(client: Client, tmp_path: Path) -> None:
    topology = alone(tmp_path, checkpoint_every="1h", kept=1000, max_attempts=3)
    for number in range(3):
        letter = {"worker": "other", "message": f"X/{number}-0", "kind": "dead_letter"}
        send(client, "XADD", "DEAD_LETTER", "*", "data", json.dumps(letter))
    running = start_worker(client, topology, "numbered", starting=False)
    reader, asked = running.station.reader, list[str]()
    between = reader.between

    def noting(key: str, after: str, upto: str, count: int) -> list[Entry]:
        asked.append(key)
        return between(key, after, upto, count)

    reader.between = noting  # type: ignore[method-assign]
    running.thread.start()
    for number in (1, 2):  # the first comes with a checkpoint
        add(client, number)
        until(lambda n=number: len(found(client)) == n)
    send(client, "XADD", "OK", "3-0", "data", "{")
    add(client, 4)
    until(lambda: len(found(client)) == 3)
    running.stop()
    assert send(client, "XLEN", "DEAD_LETTER") == 4
    assert asked.count("OK") > 3, "it replayed"
    assert "DEAD_LETTER" not in asked
