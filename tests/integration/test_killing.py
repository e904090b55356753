"""Each kind of worker is killed in each state, healed by the supervisor, and nothing is lost.

The tests share one pipeline, and each goes on where the one before it ended.
"""

import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import pytest

from bench.chaos.payloads import numbers
from bench.chaos.provenance import gaps_of
from bench.chaos.stateful import Emitted, differences, emitted
from bench.chaos.tally import Tally, tally
from schemas.topology import Topology
from schemas.topology_workers import AnyWorker
from streams.connection import Client, send
from streams.entry import Entry
from streams.keys import Lane
from streams.observe import stream_states
from supervisor.http_client import ask
from tests.servers.kinds import (
    ALONE,
    EMITTED,
    KINDS,
    PATIENCE_S,
    STATEFUL,
    WORKERS,
    Pipeline,
    halt,
    halted,
    kill,
)
from tests.servers.pipeline import all_entries, data_of, settled, topology_from, until, working
from tests.servers.stream_server import StreamServer
from tests.servers.supervised import House, up
from tests.servers.watched import (
    AUTHORED,
    did,
    forked_by,
    here_of,
    processes,
    ready,
    works_for,
)
from workers.handler import StatefulHandler
from workers.kinds import build_handler

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    house = House(tmp_path_factory.mktemp("killing") / "house", KINDS)
    (house.directory / "authored.py").write_text(AUTHORED)
    with up(house) as done:
        assert done.returncode == 0, done.stderr
        found = Pipeline(house, house.client())
        found.send(200)
        yield found
        found.client.close()


@pytest.fixture
def authored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The author's functions, for workers in this process."""
    (tmp_path / "authored.py").write_text(AUTHORED)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("authored", None)


@pytest.mark.usefixtures("authored")
def test_every_kind_is_among_those_that_are_killed(tmp_path: Path) -> None:
    topology = topology_from(KINDS, tmp_path)
    (kinds, *_) = get_args(AnyWorker)
    known = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(kinds)}
    assert {settings.kind for settings in topology.workers.values()} == known
    handlers = {name: build_handler(topology, name, Lane()) for name in topology.workers}
    stateful = {name for name, each in handlers.items() if isinstance(each, StatefulHandler)}
    assert stateful == set(STATEFUL)


def test_while_it_runs(pipeline: Pipeline) -> None:
    until(lambda: ready(pipeline.house))
    assert set(pipeline.running()) == set(WORKERS)
    with pipeline.healed():
        kill(works_for(keeper) for keeper in pipeline.keepers().values())
    pipeline.send(200)
    with pipeline.healed():
        kill(pipeline.keepers().values())
    pipeline.settle()


def test_while_it_starts(pipeline: Pipeline) -> None:
    pipeline.send(200)
    seen, left = defaultdict[str, set[int]](set), set(WORKERS)
    for worker, keeper in pipeline.keepers().items():
        seen[worker].add(keeper)

    def all_met() -> bool:
        for worker, process in processes(pipeline.house).items():
            pid = process["pid"]
            if worker in left and pid not in (None, *seen[worker]):
                seen[worker].add(pid)
                halt(pid)
                if not forked_by(pid):  # it imports, and nobody works for it so far
                    left.discard(worker)
                os.kill(pid, signal.SIGKILL)
        return not left

    with pipeline.healed():
        kill(pipeline.keepers().values())
        until(all_met, PATIENCE_S)
    pipeline.settle()


def test_while_it_waits_for_the_server(pipeline: Pipeline) -> None:
    before, lines = pipeline.running(), [pipeline.newest(worker) for worker in WORKERS]

    def all_wait() -> bool:
        told = [ask("GET", line.host, line.port, "/readyz", timeout_s=5.0) for line in lines]
        return {body for _, body in told} == {b"lane 0 is waiting\n"}

    with halted(here_of(pipeline.house).pid):  # so that nobody starts the server
        os.kill(pipeline.client.info("server")["process_id"], signal.SIGKILL)
        until(all_wait, PATIENCE_S)
        kill(line.pid for line in lines)
    pipeline.reconnect()
    pipeline.until_others_run(before)
    pipeline.send(200)
    pipeline.settle()


def test_while_it_drains(pipeline: Pipeline) -> None:
    keepers, killed = pipeline.keepers(), set[str]()

    def draining() -> set[str]:
        found = processes(pipeline.house).items()
        return {worker for worker, process in found if process["state"] == "stopping"} - killed

    pipeline.send(200)
    with pipeline.healed():
        for keeper in keepers.values():
            halt(works_for(keeper))  # so that it cannot end by itself
        restart = pipeline.house.start("restart")
        while len(killed) < len(WORKERS):
            met = until(draining, PATIENCE_S)
            kill(keepers[worker] for worker in met)
            killed |= met
        _, words = restart.communicate(timeout=60.0)
    assert restart.returncode == 0, words
    pipeline.settle()


def test_while_it_rebuilds_its_state(pipeline: Pipeline) -> None:
    pipeline.send(2000)  # a process saves its state with its first batch; the rest is replayed
    pipeline.settle()
    keepers = {worker: pipeline.halt_in_replay(worker) for worker in STATEFUL}
    with pipeline.healed(STATEFUL):
        kill(works_for(keeper) for keeper in keepers.values())
    until(lambda: not any(map(pipeline.replays, STATEFUL)), what="that all have replayed")
    keepers = {worker: pipeline.halt_in_replay(worker) for worker in STATEFUL}
    with pipeline.healed(STATEFUL):
        kill(keepers.values())
    until(lambda: not any(map(pipeline.replays, STATEFUL)), what="that all have replayed")
    pipeline.send(200)
    pipeline.settle()


def test_while_it_stands_by(pipeline: Pipeline) -> None:
    def on_standby() -> set[int]:
        found = processes(pipeline.house)
        pids = {found[worker]["pid"] for worker in ALONE if found[worker]["state"] == "standby"}
        return pids if len(pids) == len(ALONE) else set()

    pipeline.send(200)
    with ExitStack() as stack:
        keepers, strangers = pipeline.keepers(ALONE).values(), strangers_of(pipeline, stack)
        until(lambda: strangers <= {line.pid for line in pipeline.lines()}, PATIENCE_S)
        kill(keepers)  # so the strangers get the lanes
        killed = until(on_standby, PATIENCE_S)
        with pipeline.healed(ALONE):
            kill(killed | strangers)
    pipeline.settle()


def strangers_of(pipeline: Pipeline, stack: ExitStack) -> set[int]:
    """A process beside the supervisor's for each worker that owns its lane alone."""
    pids = set()
    for worker in ALONE:
        command = pipeline.house.command() | {"args": [sys.executable, "-m", "workers", worker]}
        stranger = subprocess.Popen(**command, stderr=subprocess.DEVNULL)
        stack.enter_context(stranger)
        stack.callback(stranger.kill)
        pids.add(stranger.pid)
    return pids


def test_while_it_stands_still(pipeline: Pipeline) -> None:
    house, client = pipeline.house, pipeline.client
    workers = {name: {**own, "stalled_after": "6s"} for name, own in KINDS["workers"].items()}
    topology_from({**KINDS, "workers": workers}, house.directory)
    assert house.run("reload").returncode == 0
    with pipeline.healed():
        inner = {worker: works_for(keeper) for worker, keeper in pipeline.keepers().items()}
        gate = inner.pop("gate")
        for pid in inner.values():
            halt(pid)
        pipeline.send(100)
        until(lambda: len(pipeline.entries("OK")) == pipeline.told)
        halt(gate)
        pipeline.send(100)
        for worker in WORKERS:
            did(house, client, worker, "stalled", "silent")
            did(house, client, worker, "killed")
    pipeline.settle()


def test_all_of_it_lost_nothing_and_changed_nothing(
    pipeline: Pipeline,
    valkey_server: StreamServer,
    tmp_path: Path,
    authored: None,
) -> None:
    pipeline.settle()
    for stream in ("OK", "PLAIN", "OUT"):
        assert tally(range(pipeline.told), numbers(data_of(pipeline.entries(stream)))) == Tally()
    assert not pipeline.entries("BAD") + pipeline.entries("DEAD_LETTER")
    store = pipeline.house.data / "lineage.db"
    assert gaps_of(store, pipeline.entries, ("OK", "PLAIN", *EMITTED)) == []
    topology = topology_from(KINDS, tmp_path)
    with valkey_server.client() as client:
        calm = undisturbed(client, topology, pipeline.entries("OK"))
    assert differences(emitted(pipeline.entries, EMITTED), calm) == []


def undisturbed(client: Client, topology: Topology, fed: Sequence[Entry]) -> Emitted:
    """What those that keep a state emit of the same entries if nothing happens to them."""
    send(client, "FLUSHALL")
    for entry in fed:
        send(client, "XADD", entry.stream, entry.id, *entry.fields)

    def through() -> bool:
        states = stream_states(client, topology)
        begun = {group.worker for state in states for group in state.groups}
        return begun >= set(STATEFUL) and settled(client, topology)

    with working(client, topology, *STATEFUL):
        until(through, PATIENCE_S)
    return emitted(lambda stream: all_entries(client, topology, stream), EMITTED)
