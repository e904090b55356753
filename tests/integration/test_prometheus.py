"""A running pipeline, scraped: every name in the deployed files exists, and a breach is told."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.connection import Client, send
from streams.presence import Presence
from streams.publish import Outgoing, Publisher
from supervisor.http_client import ask
from supervisor.whereabouts import Whereabouts, read
from tests.servers.monitoring import DEPLOY, Monitoring, monitoring, rules
from tests.servers.pipeline import SECURITY, SMALL, reading, readings, until
from tests.servers.supervised import House, up

LAYERS = (3, 4, 5, 7, 8, 9)
READING = "schemas:L3EventSchema"
KEPT = {"retention": {"age": "1h"}}
ALONE = ("penstock_worker_restarts_total",)
"""What workers without a supervisor tell, and the rules ask for; see test_prometheus_alone."""
GUARDED: dict[str, Any] = {
    **SMALL,
    "budget": {"false_alarms": 1, "per": "30d"},
    "streams": {
        **{
            f"IN{layer}": {"schema": READING, "source": True, "layer": layer, "high_water": 10**6}
            for layer in LAYERS
        },
        "OK": {"schema": READING, **KEPT},
        "OUT": {"schema": READING, "sink": True},
        "LABELS": {"schema": "schemas:Label", "source": True, **KEPT},
        "BAD": {"schema": "schemas:Rejection", "sink": True},
        "DEAD_LETTER": {"schema": "schemas:DeadLetter", "sink": True},
        "LINEAGE": {"schema": "schemas:LineageRecord"},
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
    },
    "workers": {
        "gate": {
            "kind": "gate",
            "routes": {f"IN{layer}": "OK" for layer in LAYERS},
            "rejects_to": "BAD",
        },
        "anomaly": {
            "kind": "anomaly",
            "watch": {"OK": {"fields": ["measurements.*"]}},
            "writes": "EVENTS",
            "detectors": {"quantile": {"window": 500, "warm_up": 100, "stride": 50}},
        },
        "quality": {
            "kind": "drift",
            "watch": {"LABELS": {"labels": {"calibration": {"n_ref": 200, "n_cur": 200}}}},
            "writes": "DRIFTS",
        },
        "pass": {
            "kind": "transform",
            "call": "authored:counting",
            "reads": ["OK"],
            "writes": ["OUT"],
            "memory": True,
        },
        "lineage": {"kind": "lineage"},
    },
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("guarded"), GUARDED)
    with up(house) as done:
        assert done.returncode == 0, done.stderr
        yield house


def samples(here: Whereabouts | Presence) -> dict[str, set[str]]:
    """The names of the labels that the samples of each metric of a page have."""
    _, body = ask("GET", here.host, here.port, "/metrics", timeout_s=5.0)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def boards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in DEPLOY.glob("grafana/dashboards/*.json")]


def panels() -> list[dict[str, str]]:
    """What the panels of all dashboards ask for, and how they call it."""
    return [t for board in boards() for panel in board["panels"] for t in panel["targets"]]


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [panel["expr"] for panel in panels()]


def judged(number: int) -> bytes:
    """A confident prediction, and a label that says it was right three times in four."""
    told = {
        "schema_version": "1.0",
        "kind": "label",
        "security": SECURITY,
        "message": f"L5/{number + 1}-0",
        "prediction": "a",
        "confidence": 0.95,
        "label": "b" if number % 4 == 0 else "a",
    }
    return json.dumps(told).encode()


def known(here: Whereabouts) -> dict[str, set[str]]:
    """Every metric that there is, also by the rules, with the names of its labels."""
    found = {name: labels | {"job", "instance"} for name, labels in samples(here).items()}
    found |= {name: {"worker", "job", "instance"} for name in ALONE}
    found |= {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate", "severity"}}
    return found | {
        rule["record"]: {"layer", "worker", "le"} for rule in rules() if "record" in rule
    }


def names(expression: str) -> set[str]:
    """The metrics in an expression."""
    bare = re.sub(r"\{[^}]*\}", "", expression)
    return set(re.findall(r"\bpenstock[\w:]*|\bup\b|\bALERTS\b", bare))


@pytest.fixture(scope="module")
def scraped(house: House) -> dict[str, set[str]]:
    """What is told of a pipeline through which messages of all sorts went."""
    here = read(house.data)
    assert here is not None
    with house.client() as client:
        publisher = Publisher(client)
        publisher.publish_batch("IN3", [Outgoing(data) for data in readings(1_000)])
        publisher.publish_batch("LABELS", [Outgoing(judged(number)) for number in range(2_000)])
        publisher.publish("IN4", Outgoing(b"no json"))
        until(lambda: client.xlen("OUT") == 1_000 and client.xlen("BAD") == 1, what="the end")
    until(lambda: "penstock_calibration_error" in samples(here), what="a calibration error")
    return known(here)


def test_every_metric_in_a_rule_or_a_panel_is_scraped(scraped: dict[str, set[str]]) -> None:
    named = set().union(*map(names, expressions()))
    assert len(named) > 30
    assert sorted(named - set(scraped)) == []


@pytest.mark.parametrize("expression", expressions())
def test_every_label_in_an_expression_exists(expression: str, scraped: dict[str, set[str]]) -> None:
    for name, selector in re.findall(r"([\w:]+)\{([^}]*)\}", expression):
        used = set(re.findall(r"(\w+)\s*[!=]", re.sub(r'"[^"]*"', "", selector)))
        assert used <= scraped[name], name
    there = set().union(*(scraped[name] for name in names(expression)))
    for group in re.findall(r"(?:by|on|group_left|without) \(([^)]*)\)", expression):
        assert set(re.findall(r"\w+", group)) <= there, group


def test_every_label_in_a_legend_exists(scraped: dict[str, set[str]]) -> None:
    for panel in panels():
        there = set().union(*(scraped[name] for name in names(panel["expr"])))
        assert set(re.findall(r"\{\{(\w+)\}\}", panel["legendFormat"])) <= there, panel["expr"]


@pytest.fixture(scope="module")
def watch(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitoring]:
    here = read(house.data)
    assert here is not None
    directory = tmp_path_factory.mktemp("monitoring")
    with monitoring(directory, f"{here.host}:{here.port}") as watch:
        up = "penstock:layer_up == 1"
        until(lambda: len(watch.query(up)) == len(LAYERS), what="six layers")
        yield watch


def test_prometheus_understands_every_panel(watch: Monitoring) -> None:
    answers = {
        panel["expr"]: len(
            watch.query(panel["expr"].replace("$__rate_interval", "4s").replace("$__range", "1m"))
        )
        for panel in panels()
    }
    assert answers["penstock:layer_availability_target"] == len(LAYERS)
    assert answers["max by (worker, lane) (penstock_worker_up)"] == len(GUARDED["workers"])


def test_every_rule_is_evaluated_without_an_error(watch: Monitoring) -> None:
    groups = watch.groups()
    assert {group["name"] for group in groups} >= {"penstock-sla", "penstock-pipeline"}
    found = [rule for group in groups for rule in group["rules"]]
    assert len(found) == len(rules())
    assert [rule["name"] for rule in found if rule["health"] == "err"] == []


def late(client: Client, *streams: str) -> None:
    """A message for each stream that is ten seconds old when it comes."""
    for stream in streams:
        send(
            client, "XADD", stream, f"{int(time.time() * 1000) - 10_000}-*", "data", reading(x=1.0)
        )


def test_a_breach_is_told_and_so_is_its_end(house: House, watch: Monitoring) -> None:
    told = watch.receiver.told
    slow = {("PenstockLayerSlow", "9", "on-call"), ("PenstockLayerSlow", "8", "ops")}
    with house.client() as client:
        until(
            lambda: late(client, "IN8", "IN9") or all(told.get(each) == "firing" for each in slow),
            what="the alert of a slow layer",
        )
    until(lambda: all(told[each] == "resolved" for each in slow), what="its end")

    assert house.run("scale", "gate", "0").returncode == 0
    down = ("PenstockLayerUnavailable", "9", "on-call")
    until(lambda: told.get(down) == "firing", what="the alert of a layer that is down")
    assert house.run("scale", "gate", "1").returncode == 0
    until(lambda: told[down] == "resolved", what="its end")

    until(lambda: "firing" not in told.values(), what="quiet")
    # Prometheus misses the pipeline until it has looked for its targets, seconds after its
    # start; a slow machine may take longer to end a worker than these rules bear.
    also = {"PenstockAway", "PenstockWorkerDown"}
    assert {name for name, _, _ in told} - also == {"PenstockLayerSlow", "PenstockLayerUnavailable"}
