"""Reloads that fail halfway, on a real pipeline: what ran before runs again, all of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.topology import Topology
from streams.connection import Client
from streams.keys import Lane
from supervisor.exits import Exit
from tests.servers.pipeline import SMALL, topology_from, until
from tests.servers.supervised import House, up
from tests.servers.watched import publish, ready, values

AUTHORED = """\
import sys
from pathlib import Path

BEGAN, REFUSED = Path(__file__).with_name("began"), Path(__file__).with_name("refused")

if "workers" in sys.orig_argv:  # not where somebody only looks whether it can be imported
    with BEGAN.open("a") as file:
        file.write("x")
    if BEGAN.read_text() == REFUSED.read_text():
        raise RuntimeError("no seat left")


def old(message):
    return message.event


def new(message):
    return None
"""

PASS = {
    "kind": "transform", "call": "authored:old", "reads": ["OK"], "writes": ["OUT"], "replicas": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Client]]:
    """A gate, and two processes of a transform."""
    out = {"schema": "schemas:L3EventSchema", "sink": True}
    streams = {**SMALL["streams"], "OK": {"schema": "schemas:L3EventSchema"}, "OUT": out}
    tree = {**SMALL, "streams": streams, "workers": {**SMALL["workers"], "pass": PASS}}
    house = House(tmp_path_factory.mktemp("undone") / "house", tree)
    (house.directory / "authored.py").write_text(AUTHORED)
    (house.directory / "refused").write_text("none")
    with up(house) as done:
        assert done.returncode == 0, done.stderr
        with house.client() as client:
            yield house, client


def reload_that_fails(house: House, at: int, **workers: Any) -> str:
    """Reload with those workers, of which the process that begins as number ``at`` fails; return
    what is said, with the old file in its place again.
    """
    (house.directory / "began").write_text("")
    (house.directory / "refused").write_text("x" * at)
    topology_from({**house.tree, "workers": {**house.tree["workers"], **workers}}, house.directory)
    done = house.run("reload")
    assert done.returncode == Exit.FAILED, (done.stdout, done.stderr)
    topology_from(house.tree, house.directory)
    plan = house.run("plan", "--json")
    assert json.loads(plan.stdout) == [], "the file that ran before"
    until(lambda: ready(house))
    return done.stderr


def test_no_traffic_is_left_to_the_code_that_was_refused(running: tuple[House, Client]) -> None:
    house, client = running
    said = reload_that_fails(house, 2, **{"pass": {**PASS, "call": "authored:new"}})
    assert "no seat left" in said
    assert said.endswith("nothing of the file is applied\n")
    publish(client, 0, 200)
    until(lambda: sorted(values(house, client, "OUT")) == list(range(200)))


def test_trimming_goes_on_after_a_new_reader_failed(running: tuple[House, Client]) -> None:
    house, client = running
    second = {**PASS, "replicas": 1}
    said = reload_that_fails(house, 3, second=second)  # after the two of the reader there is
    assert "undone: pass; nothing of the file is applied" in said
    publish(client, 200, 50)
    until(lambda: sorted(values(house, client, "OUT")) == list(range(250)))
    stream = Lane(0, Topology.model_validate(house.tree).lanes).stream("OK")
    until(lambda: client.execute_command("XLEN", stream) == 0, what="trimmed")
