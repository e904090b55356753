"""A running pipeline: its processes die, are restarted and scaled, and messages go on."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.topology_file import load_topology
from streams.embedded import EmbeddedServer
from streams.publish import Outgoing, Publisher
from supervisor.exits import Exit
from supervisor.http_client import ask
from supervisor.whereabouts import Whereabouts, read
from tests.servers.pipeline import all_entries, data_of, reading, until
from tests.servers.supervised import PASSING, House, left_over, up


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def started(house: House) -> Iterator["CompletedProcess[str]"]:
    with up(house) as done:
        yield done


@pytest.fixture
def here(house: House, started: "CompletedProcess[str]") -> Whereabouts:
    found = read(house.data)
    assert found is not None
    return found


def page(here: Whereabouts, path: str) -> tuple[int, str]:
    status, body = ask("GET", here.host, here.port, path, timeout_s=5.0)
    return status, body.decode()


def rows(here: Whereabouts, worker: str) -> Any:
    found = json.loads(page(here, "/status")[1])
    return next(row for row in found["workers"] if row["worker"] == worker)


def test_up_returns_when_every_worker_is_ready(
    house: House, started: "CompletedProcess[str]"
) -> None:
    assert started.returncode == 0, started.stderr
    assert "gate" in started.stdout
    found = house.status()
    assert found["ready"]
    assert found["server"]["kind"] == "embedded"
    assert [(w["worker"], w["ready"], w["wanted"]) for w in found["workers"]] == [
        ("gate", 1, 1),
        ("pass", 1, 1),
    ]
    assert "ready" in house.run("status").stdout


def test_messages_pass_and_status_counts_them(house: House, here: Whereabouts) -> None:
    with house.client() as client:
        before = client.xlen("OUT")
        publisher = Publisher(client)
        publisher.publish_batch("IN", [Outgoing(reading(x=float(i))) for i in range(20)])
        publisher.publish("IN", Outgoing(b"no json"))
        until(lambda: client.xlen("OUT") == before + 20)
    gate = until(lambda: (w := rows(here, "gate"))["rejected"] and w)
    assert (gate["accepted"], gate["rejected"], gate["dead"]) == (20, 1, 0)
    streams = {s["name"]: s for s in house.status()["streams"]}
    assert streams["BAD"]["length"] == 1


@pytest.mark.parametrize("worker", ["gate", "pass"])
def test_a_killed_worker_is_started_again_and_ready_again(here: Whereabouts, worker: str) -> None:
    before = rows(here, worker)
    pid = before["processes"][0]["pid"]
    os.kill(pid, signal.SIGKILL)
    after = until(lambda: (w := rows(here, worker))["restarts"] > before["restarts"] and w)
    assert after["processes"][0]["pid"] != pid
    until(lambda: rows(here, worker)["ready"] == 1)
    until(lambda: page(here, "/readyz")[0] == 200)


def test_a_killed_server_is_started_again_with_its_data(house: House, here: Whereabouts) -> None:
    with house.client() as client:
        length = client.xlen("OUT")
        pid = client.info("server")["process_id"]
        os.kill(pid, signal.SIGKILL)
    until(lambda: (a := EmbeddedServer(house.data).running()) and a.pid != pid)
    with house.client() as client:
        assert client.xlen("OUT") == length
        Publisher(client).publish("IN", Outgoing(reading(x=1.0)))
        until(lambda: client.xlen("OUT") == length + 1)
    until(lambda: page(here, "/readyz")[0] == 200)


def test_restart_replaces_every_process(house: House, here: Whereabouts) -> None:
    before = {w: rows(here, w)["processes"][0]["pid"] for w in ("gate", "pass")}
    restarts = rows(here, "gate")["restarts"]
    done = house.run("restart")
    assert done.returncode == 0, done.stderr
    after = {w: rows(here, w)["processes"][0]["pid"] for w in ("gate", "pass")}
    assert not set(before.values()) & set(after.values())
    assert rows(here, "gate")["restarts"] == restarts
    assert page(here, "/readyz")[0] == 200


def test_a_stateless_worker_scales_and_one_that_owns_its_lane_does_not(
    house: House, here: Whereabouts
) -> None:
    assert house.run("scale", "gate", "2").returncode == 0
    gate = rows(here, "gate")
    assert (gate["ready"], gate["wanted"]) == (2, 2)
    text = page(here, "/metrics")[1]
    assert 'penstock_ready{kind="gate",lane="0",replica="1",worker="gate"} 1.0' in text
    assert house.run("scale", "gate", "1").returncode == 0
    assert len(rows(here, "gate")["processes"]) == 1
    refused = house.run("scale", "pass", "2")
    assert refused.returncode == Exit.FAILED
    assert "lane" in refused.stderr
    unknown = house.run("restart", "gats")
    assert (unknown.returncode, "did you mean 'gate'" in unknown.stderr) == (Exit.USAGE, True)


def test_one_page_has_the_metrics_of_all(here: Whereabouts) -> None:
    status, text = page(here, "/metrics")
    assert status == 200
    families = [family.name for family in text_string_to_metric_families(text)]
    assert len(families) == len(set(families))
    assert 'penstock_worker_up{lane="0",worker="gate"} 1.0' in text
    assert 'penstock_stream_length{stream="IN"}' in text
    assert 'penstock_group_lag_entries{stream="IN",worker="gate"} 0.0' in text
    assert page(here, "/livez")[0] == 200


def test_a_second_supervisor_on_the_same_data_is_refused(house: House, here: Whereabouts) -> None:
    for arguments in (["up"], ["up", "--detach"]):
        done = house.run(*arguments)
        assert done.returncode == Exit.FAILED
        (sentence,) = done.stderr.splitlines()
        assert f"already (process {here.pid})" in sentence
        assert "penstock down" in sentence
    assert page(here, "/readyz")[0] == 200


def test_without_the_supervisor_status_tells_what_the_server_knows_and_down_cleans_up(
    tmp_path: Path,
) -> None:
    house = House(tmp_path / "house")
    with up(house, "--only", "gate") as done:
        assert done.returncode == 0, done.stderr
        here = read(house.data)
        assert here is not None
        os.kill(here.pid, signal.SIGKILL)
        orphaned = until(lambda: (s := house.status())["supervisor"] is None and s)
        assert orphaned["server"]["reachable"]
        assert orphaned["workers"][0]["wanted"] is None
        assert "none runs" in house.run("status").stdout
        down = house.run("down")
        assert (down.returncode, "embedded server was stopped" in down.stdout) == (0, True)
        until(lambda: not left_over(house))
        assert house.run("down").returncode == Exit.NOT_RUNNING


def test_ctrl_c_drains_everything_and_the_data_stay(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    process = house.start("up", "--port", "0")
    try:
        until(lambda: (h := read(house.data)) and page(h, "/readyz")[0] == 200)
        with house.client() as client:
            Publisher(client).publish("IN", Outgoing(reading(x=1.0)))
            until(lambda: client.xlen("OUT") == 1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30.0)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert "ready" in out
    assert "redis-cli" in out
    until(lambda: not left_over(house))
    assert read(house.data) is None
    with up(house) as again:
        assert again.returncode == 0, again.stderr
        with house.client() as client:
            assert client.xlen("OUT") == 1


def test_entries_of_a_killed_worker_go_on_at_once_and_in_their_order(tmp_path: Path) -> None:
    patient = {**PASSING, "delivery": {**PASSING["delivery"], "lease": "1h"}}
    house = House(tmp_path / "house", patient)
    payloads = [reading(x=float(i)) for i in range(6000)]
    with up(house) as done, house.client() as client:
        assert done.returncode == 0, done.stderr
        here = read(house.data)
        assert here is not None
        for start in range(0, 6000, 2000):
            part = payloads[start : start + 2000]
            Publisher(client).publish_batch("IN", [Outgoing(data) for data in part])
            pid = until(lambda: rows(here, "gate")["processes"][0]["pid"])
            until(lambda start=start: client.xlen("OK") > start)
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: rows(here, "gate")["processes"][0]["pid"] != pid)
        until(lambda: client.xlen("OK") == 6000)
        topology = load_topology(house.directory / "streams.yaml")
        assert data_of(all_entries(client, topology, "OK")) == payloads
