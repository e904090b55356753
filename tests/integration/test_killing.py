"""Each kind of worker is killed in each state, healed by the supervisor, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.connection import Client
from streams.presence import present
from tests.servers.pipeline import READING, settled, until
from tests.servers.supervised import PASSING, House, up
from tests.servers.watched import (
    AUTHORED,
    DONE,
    EVENTS,
    actions,
    processes,
    publish,
    ready,
    values,
    works_for,
)

KINDS: dict[str, Any] = {
    **PASSING,
    **EVENTS,
    "streams": {
        **PASSING["streams"],
        "OK": {"schema": READING, "retention": {"age": "1h"}},
        "PLAIN": {"schema": READING, "sink": True},
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
        "LINEAGE": {"schema": "schemas:LineageRecord"},
        "DONE": DONE,
    },
    "workers": {
        **PASSING["workers"],
        "pass": {**PASSING["workers"]["pass"], "checkpoint_every": "1h"},
        "plain": {
            "kind": "transform",
            "call": "authored:through",
            "reads": ["OK"],
            "writes": ["PLAIN"],
        },
        "anomaly": {"kind": "anomaly", "watch": {"OK": {}}, "writes": "EVENTS"},
        "drift": {"kind": "drift", "watch": {"OK": {}}, "writes": "DRIFTS"},
        "lineage": {"kind": "lineage"},
    },
}


def kill(house: House, *, inner: bool) -> None:
    """Kill every worker: the process that works, or its keeper and so both."""
    for process in processes(house).values():
        if process["pid"] is not None:
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(works_for(process["pid"]) if inner else process["pid"], signal.SIGKILL)


def kill_while_starting(house: House) -> Counter[str]:
    """Kill the keeper of every worker, and the next one as soon as it is there."""
    before = {name: process["pid"] for name, process in processes(house).items()}
    kill(house, inner=False)
    met: Counter[str] = Counter()
    left = set(before)

    def all_met() -> bool:
        for name, process in processes(house).items():
            if name in left and process["pid"] not in (None, before[name]):
                os.kill(process["pid"], signal.SIGKILL)
                met[process["state"]] += 1
                left.discard(name)
        return not left

    until(all_met)
    return met


def kill_while_draining(house: House, worker: str) -> None:
    """Have a worker restarted that cannot drain, and kill it meanwhile."""
    keeper = processes(house)[worker]["pid"]
    os.kill(works_for(keeper), signal.SIGSTOP)
    restart = house.start("restart", worker)
    until(lambda: processes(house)[worker]["state"] == "stopping")
    os.kill(keeper, signal.SIGKILL)
    _, words = restart.communicate(timeout=60.0)
    assert restart.returncode == 0, words


def kill_while_replaying(house: House, worker: str) -> None:
    """Kill a worker whose replay cannot go on."""
    (house.directory / "blocked").touch()
    keeper = processes(house)[worker]["pid"]
    os.kill(works_for(keeper), signal.SIGKILL)
    until(lambda: processes(house)[worker]["state"] == "replaying")
    os.kill(keeper, signal.SIGKILL)
    (house.directory / "blocked").unlink()
    until(lambda: ready(house))


def kill_on_standby(house: House, client: Client, workers: Sequence[str]) -> None:
    """Kill workers whose lane a stranger's process owns; then those processes, too."""

    def alive(worker: str) -> int:
        return sum(line.worker == worker for line in present(client, time.time()))

    def until_all(state: str) -> None:
        until(lambda: {processes(house)[worker]["state"] for worker in workers} == {state})

    def killed() -> dict[str, int]:
        keepers = {worker: processes(house)[worker]["pid"] for worker in workers}
        for keeper in keepers.values():
            os.kill(keeper, signal.SIGKILL)
        return keepers

    with ExitStack() as stack:
        for worker in workers:
            command = house.command() | {"args": [sys.executable, "-m", "workers", worker]}
            stranger = subprocess.Popen(**command, stderr=subprocess.DEVNULL)
            stack.enter_context(stranger)
            stack.callback(stranger.kill)
        until(lambda: all(alive(worker) == 2 for worker in workers))
        killed()
        until_all("standby")
        before = killed()
        until(lambda: all(processes(house)[w]["pid"] not in (None, before[w]) for w in workers))
        until_all("standby")
    until_all("running")


@pytest.mark.timeout(240)
def test_each_kind_of_worker_is_healed_whenever_it_is_killed_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    house = House(tmp_path / "house", KINDS)
    (house.directory / "authored.py").write_text(AUTHORED)
    with up(house) as done:
        assert done.returncode == 0, done.stderr
        with house.client() as client:
            publish(client, 0, 500)
            kill(house, inner=True)  # running
            publish(client, 500, 500)
            met = kill_while_starting(house)
            assert set(met) <= {"starting", "replaying", "running", "waiting"}
            server = client.info("server")["process_id"]
            os.kill(server, signal.SIGKILL)
        kill(house, inner=False)  # waiting for their server
        until(lambda: ready(house))
        with house.client() as client:
            publish(client, 1000, 500)
            kill_while_draining(house, "pass")
            until(lambda: len(values(house, client, "OUT")) == 1500)
            kill_while_replaying(house, "pass")
            kill_on_standby(house, client, ("pass", "anomaly", "drift", "lineage"))
            publish(client, 1500, 100)
            until(lambda: settled(client, Topology.model_validate(KINDS)))
            for stream in ("OUT", "PLAIN"):
                assert sorted(values(house, client, stream)) == list(range(1600))
            counted = Counter(event["action"] for event in actions(house, client))
            assert counted["restarted"] >= len(KINDS["workers"])
