"""A pipeline as it is by default: what is frozen, broken or half edited, and how it goes on."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from streams.connection import Client
from supervisor.exits import Exit
from tests.servers.kinds import halt
from tests.servers.pipeline import SMALL, until
from tests.servers.supervised import AUTHORS, PASSING, House, up
from tests.servers.watched import (
    DONE,
    did,
    processes,
    publish,
    ready,
    status,
    values,
    works_for,
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Client]]:
    """Every setting of delivery and patience is the default one."""
    tree = {name: value for name, value in PASSING.items() if name != "delivery"}
    streams = {**SMALL["streams"], **PASSING["streams"], "DONE": DONE}
    house = House(
        tmp_path_factory.mktemp("mending") / "house",
        {**tree, "supervisor": "DONE", "streams": streams},
    )
    with up(house) as done:
        assert done.returncode == 0, done.stderr
        with house.client() as client:
            yield house, client


def worker(house: House, name: str) -> Any:
    return next(row for row in status(house)["workers"] if row["worker"] == name)


def test_a_frozen_worker_is_healed_long_before_its_deadline(running: tuple[House, Client]) -> None:
    house, client = running
    keeper = processes(house)["pass"]["pid"]
    publish(client, 0, 5)
    until(lambda: len(values(house, client, "OUT")) == 5)
    halt(works_for(keeper))
    publish(client, 5, 5)
    silent = until(lambda: (p := processes(house)["pass"])["state"] == "silent" and p["reason"])
    assert silent.startswith("it lives, and has told nothing of itself")
    (event, *_) = did(house, client, "pass", "silent")
    assert event["why"].startswith("it is frozen")
    assert event["details"]["silent_s"] < 30.0, "less than the 90 s of one that works"
    until(lambda: values(house, client, "OUT") == list(range(10)))
    until(lambda: ready(house))


def test_a_file_that_was_saved_and_not_applied_harms_nobody(
    running: tuple[House, Client],
) -> None:
    house, client = running
    file = house.directory / "streams.yaml"
    sound = file.read_text()
    file.write_text(f"lans: 2\n{sound}")
    refused = house.run("reload")
    assert refused.returncode == Exit.TOPOLOGY, refused.stderr
    (event, *_) = did(house, client, None, "reload_refused")
    assert "unknown key 'lans'" in event["why"]
    assert len(list((house.data / "applied").iterdir())) == 1
    before = worker(house, "gate")
    os.kill(before["processes"][0]["pid"], signal.SIGKILL)
    until(lambda: worker(house, "gate")["restarts"] > before["restarts"])
    until(lambda: ready(house))
    done = house.run("restart", "pass")
    assert done.returncode == 0, done.stderr
    did(house, client, "pass", "restarted_by_hand")
    file.write_text(sound)


def test_a_good_process_is_not_ended_for_one_that_cannot_start(
    running: tuple[House, Client],
) -> None:
    house, _ = running
    authored = house.directory / "authored.py"
    authored.write_text("import os\nos._exit(1)\n")
    before = processes(house)["pass"]["pid"]
    done = house.run("restart", "pass")
    assert (done.returncode, "nothing was ended" in done.stderr) == (Exit.FAILED, True)
    assert processes(house)["pass"]["pid"] == before
    os.kill(before, signal.SIGKILL)
    found = until(lambda: (w := worker(house, "pass"))["state"] == "misconfigured" and w)
    assert "ended with exit code 1 before it was ready" in found["processes"][0]["reason"]
    assert worker(house, "gate")["ready"] == 1
    authored.write_text(AUTHORS)
    assert house.run("restart", "pass").returncode == 0
