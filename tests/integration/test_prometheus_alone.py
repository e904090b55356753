"""Workers that run without a supervisor, each scraped by itself: alarms are told, and right."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.connection import Client
from streams.presence import Presence, present
from streams.publish import Outgoing, Publisher
from supervisor.http_client import ask
from tests.integration.test_prometheus import (
    ALONE,
    GUARDED,
    LAYERS,
    expressions,
    judged,
    late,
    names,
    samples,
)
from tests.servers.monitoring import monitoring, rules
from tests.servers.pipeline import readings, topology_from, until
from tests.servers.processes import Workers, workers
from tests.servers.stream_server import StreamServer, running

TREE: dict[str, Any] = {
    **GUARDED,
    "workers": {
        **GUARDED["workers"],
        "pass": {**GUARDED["workers"]["pass"], "call": "tests.integration.test_metrics:picky"},
    },
}


@pytest.fixture(scope="module")
def server() -> Iterator[StreamServer]:
    with running("valkey") as found:
        yield found


@pytest.fixture(scope="module")
def client(server: StreamServer) -> Iterator[Client]:
    with server.client() as found:
        yield found


@pytest.fixture(scope="module")
def alone(
    client: Client, server: StreamServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workers]:
    directory = tmp_path_factory.mktemp("alone")
    topology_from(TREE, directory)
    with workers(server, directory / "streams.yaml") as found:
        for name in TREE["workers"]:
            found.start(name)
        until(lambda: len(ready(client)) == len(TREE["workers"]), what="every worker")
        yield found


def ready(client: Client) -> dict[str, Presence]:
    """The workers that take entries, by name, and where each has its page."""
    return {each.worker: each for each in present(client, time.time()) if each.ready}


def told(client: Client) -> dict[str, set[str]]:
    """Every metric of every worker's page, with the names of its labels."""
    found: dict[str, set[str]] = {}
    for each in ready(client).values():
        for name, labels in samples(each).items():
            found.setdefault(name, set()).update(labels)
    return found


def test_every_metric_in_a_rule_or_a_panel_is_on_the_page_of_some_worker(
    alone: Workers, client: Client
) -> None:
    publisher = Publisher(client)
    publisher.publish_batch("IN3", [Outgoing(data) for data in readings(1_000)])
    publisher.publish_batch("LABELS", [Outgoing(judged(number)) for number in range(2_000)])
    publisher.publish("IN4", Outgoing(b"no json"))
    until(lambda: client.xlen("OUT") == 1_000 and client.xlen("BAD") == 1, what="the end")
    until(lambda: "penstock_calibration_error" in told(client), what="a calibration error")
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    missing = set().union(*map(names, expressions())) - set(told(client)) - recorded
    # what a supervisor does nobody does here, and its rules are quiet without these
    supervisors = {name for name in missing if name.startswith("penstock_supervisor_")}
    assert missing - supervisors == {"up", "ALERTS"}
    assert supervisors, "what only a supervisor tells"
    assert set(ALONE) <= set(told(client)), "what only such workers tell"


def test_a_breach_is_told_and_a_worker_that_is_gone_and_nothing_before(
    alone: Workers, client: Client, tmp_path: Path
) -> None:
    pages = [f"{each.host}:{each.port}" for each in ready(client).values()]
    with monitoring(tmp_path, *pages, job="penstock-workers") as watch:
        slow = ("PenstockLayerSlow", "9", "on-call")
        down = {("PenstockLayerUnavailable", "9", "on-call"), ("PenstockWorkerDown", "", "on-call")}
        up = "penstock:layer_up == 1"
        until(lambda: len(watch.query(up)) == len(LAYERS), what="six layers")
        until(lambda: late(client, "IN9") or slow in watch.receiver.told, what="the slow layer")
        assert not down & set(watch.receiver.told)
        gate = alone.processes.pop("gate")
        gate.terminate()
        assert gate.wait(20) == 0
        until(lambda: down <= set(watch.receiver.told), what="the gate that is gone")
        assert {name for name, _, _ in watch.receiver.told} - {"PenstockAway"} <= {
            "PenstockLayerSlow", "PenstockLayerUnavailable", "PenstockWorkerDown",
            "PenstockWorkerUnscraped",
        }  # fmt: skip


def test_a_server_that_hangs_is_told_of_within_a_scrape(
    alone: Workers, client: Client, server: StreamServer
) -> None:
    page = ready(client)["pass"]
    server.kill(signal.SIGSTOP)
    try:
        status, body = ask("GET", page.host, page.port, "/metrics", timeout_s=4.0)
    finally:
        server.kill(signal.SIGCONT)
    assert (status, b"penstock_server_up 0.0" in body) == (200, True)
