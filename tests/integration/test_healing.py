"""Workers that stall, freeze, grow and die are healed by the supervisor, and nothing is lost."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.connection import Client
from streams.publish import Outgoing, Publisher
from supervisor.exits import Exit
from supervisor.http_client import ask
from supervisor.whereabouts import Whereabouts, read
from tests.servers.pipeline import (
    READING,
    SMALL,
    all_entries,
    reading,
    settled,
    topology_from,
    until,
)
from tests.servers.supervised import PASSING, House, up

EVENTS: dict[str, Any] = {
    "supervisor": "DONE",
    "delivery": {**SMALL["delivery"], "lease": "1s"},
}
DONE = {"schema": "schemas:SupervisorEvent", "sink": True, "retention": {"entries": 1000}}

AUTHORED = """\
import time
from pathlib import Path

HERE = Path(__file__).parent


def counting(message, memory):
    global eaten
    while (HERE / "blocked").exists():
        time.sleep(0.01)
    if (HERE / "hungry").exists():
        eaten = b"x" * 150_000_000
    memory["count"] = memory.get("count", 0) + 1
    return message.event


def through(message):
    return message.event
"""


def here_of(house: House) -> Whereabouts:
    return until(lambda: read(house.data))


def status(house: House) -> Any:
    here = here_of(house)
    return json.loads(ask("GET", here.host, here.port, "/status", timeout_s=5.0)[1])


def ready(house: House) -> bool:
    here = here_of(house)
    return ask("GET", here.host, here.port, "/readyz", timeout_s=5.0)[0] == 200


def processes(house: House) -> dict[str, Any]:
    """Each worker's first process."""
    return {row["worker"]: row["processes"][0] for row in status(house)["workers"]}


def works_for(keeper: int) -> int:
    """The process that a keeper has forked."""
    children = Path(f"/proc/{keeper}/task/{keeper}/children")
    return until(lambda: int((children.read_text().split() or ["0"])[0]))


def actions(house: House, client: Client) -> list[dict[str, Any]]:
    """What the supervisor did so far."""
    entries = all_entries(client, Topology.model_validate(house.tree), "DONE")
    return [json.loads(entry.get(b"data") or b"") for entry in entries]


def did(house: House, client: Client, worker: str | None, *wanted: str) -> Any:
    """What it did of ``wanted`` to a worker, once there is some."""

    def found() -> list[dict[str, Any]]:
        told = actions(house, client)
        return [e for e in told if e["action"] in wanted and e["worker"] == worker]

    return until(found, what=f"{wanted} of {worker}")


def publish(client: Client, first: int, count: int) -> None:
    batch = [Outgoing(reading(x=float(n)), id=str(n)) for n in range(first, first + count)]
    Publisher(client).publish_batch("IN", batch)


def values(house: House, client: Client, stream: str) -> list[int]:
    entries = all_entries(client, Topology.model_validate(house.tree), stream)
    return [int(json.loads(e.get(b"data") or b"")["measurements"]["x"]) for e in entries]


@pytest.fixture(scope="module")
def healed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Client]]:
    """A gate and a transform that owns its lane, with little patience and little memory."""
    patience = {"stalled_after": "1500ms", "max_memory": "150MB"}
    tree = {
        **PASSING,
        **EVENTS,
        "streams": {**PASSING["streams"], "DONE": DONE},
        "workers": {name: {**own, **patience} for name, own in PASSING["workers"].items()},
    }
    house = House(tmp_path_factory.mktemp("healed") / "house", tree)
    (house.directory / "authored.py").write_text(AUTHORED)
    with up(house) as done:
        assert done.returncode == 0, done.stderr
        with house.client() as client:
            yield house, client


def test_what_stalls_or_is_frozen_is_replaced_within_seconds_and_nothing_is_lost(
    healed: tuple[House, Client],
) -> None:
    house, client = healed
    before = processes(house)
    (house.directory / "blocked").touch()
    publish(client, 0, 10)
    until(lambda: len(values(house, client, "OK")) == 10)
    os.kill(works_for(before["gate"]["pid"]), signal.SIGSTOP)
    publish(client, 10, 10)
    (event, *_) = did(house, client, "pass", "stalled")
    assert event["details"]["lag_entries"] + event["details"]["pending_entries"] > 0
    (house.directory / "blocked").unlink()
    did(house, client, "gate", "stalled", "silent")  # its line in the presence list runs out
    did(house, client, "gate", "killed")
    until(lambda: len(values(house, client, "OUT")) == 20)
    assert values(house, client, "OUT") == list(range(20))
    after = processes(house)
    assert all(after[worker]["pid"] != before[worker]["pid"] for worker in ("gate", "pass"))
    until(lambda: ready(house))


def test_a_process_that_holds_too_much_is_drained_and_replaced(
    healed: tuple[House, Client],
) -> None:
    house, client = healed
    killed = [event for event in actions(house, client) if event["action"] == "killed"]
    (house.directory / "hungry").touch()
    publish(client, 20, 1)
    (event, *_) = did(house, client, "pass", "memory_limit")
    (house.directory / "hungry").unlink()
    assert event["details"]["limit_bytes"] == 150_000_000
    publish(client, 21, 5)
    until(lambda: len(values(house, client, "OUT")) == 26)
    assert values(house, client, "OUT") == list(range(26))
    assert [e for e in actions(house, client) if e["action"] == "killed"] == killed
    until(lambda: ready(house))


def changed(house: House, worker: str, **settings: Any) -> None:
    workers = {**house.tree["workers"], worker: {**house.tree["workers"][worker], **settings}}
    topology_from({**house.tree, "workers": workers}, house.directory)


def pids(house: House) -> dict[str, int]:
    return {worker: process["pid"] for worker, process in processes(house).items()}


def test_a_reload_replaces_the_worker_that_changed_and_no_other(
    healed: tuple[House, Client],
) -> None:
    house, client = healed
    before = pids(house)
    assert house.run("--config", "streams.yaml", "plan").returncode == 0
    changed(house, "pass", max_batch=77)
    plan = house.run("plan", "--json")
    assert plan.returncode == Exit.CHANGES
    assert json.loads(plan.stdout) == [
        {"worker": "pass", "deed": "replaced", "what": ["max_batch: 500 -> 77"]}
    ]
    done = house.run("reload")
    assert done.returncode == 0, done.stderr
    after = pids(house)
    assert (after["gate"] == before["gate"], after["pass"] == before["pass"]) == (True, False)
    assert ready(house)
    assert house.run("plan").stdout == "nothing would change\n"
    did(house, client, "pass", "reloaded")
    publish(client, 26, 5)
    until(lambda: values(house, client, "OUT") == list(range(31)))


def test_a_file_that_cannot_be_used_changes_nothing_and_says_why(
    healed: tuple[House, Client],
) -> None:
    house, client = healed
    before = pids(house)
    file = house.directory / "streams.yaml"
    sound = file.read_text()
    file.write_text(sound.replace("kind: gate", "kind: gat"))
    done = house.run("reload")
    assert (done.returncode, "did you mean 'gate'" in done.stderr) == (Exit.TOPOLOGY, True)
    os.kill(here_of(house).pid, signal.SIGHUP)
    (event, *_) = did(house, client, None, "reload_refused")
    assert "did you mean 'gate'" in event["why"]
    file.write_text(sound)
    assert pids(house) == before


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
            until(lambda: settled(client, Topology.model_validate(KINDS)))
            for stream in ("OUT", "PLAIN"):
                assert sorted(values(house, client, stream)) == list(range(1500))
            counted = Counter(event["action"] for event in actions(house, client))
            assert counted["restarted"] >= len(KINDS["workers"])
