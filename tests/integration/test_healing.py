"""Workers that stall, freeze and grow are healed by the supervisor, and nothing is lost."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from streams.connection import Client
from supervisor.exits import Exit
from tests.servers.pipeline import topology_from, until
from tests.servers.supervised import PASSING, House, up
from tests.servers.watched import (
    AUTHORED,
    DONE,
    EVENTS,
    actions,
    did,
    here_of,
    processes,
    publish,
    ready,
    values,
    works_for,
)


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
