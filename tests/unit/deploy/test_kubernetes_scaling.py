"""What is rendered for Kubernetes of a topology: scaling, memory, and the ways to its servers."""

from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from supervisor.render.kubernetes import manifests
from supervisor.render.where import CannotRender, Where, names_of
from tests.servers.pipeline import SMALL, topology_from
from tests.unit.deploy.manifested import (
    REFERENCE,
    WHERE,
    by_worker,
    check,
    loaded,
    of_kind,
    rendered,
)


def test_a_change_of_the_topology_starts_the_pods_anew(tmp_path: Path) -> None:
    topology = topology_from(SMALL, tmp_path)
    seen = [
        by_worker("Deployment", loaded(manifests(topology, text, WHERE, "n")))["gate"]["spec"][
            "template"
        ]["metadata"]["annotations"]["penstock/configuration"]
        for text in ("version: 1\n", "version: 1 \n", "version: 1\n")
    ]
    assert seen[0] == seen[2] != seen[1]


SCALED: dict[str, Any] = {
    **SMALL,
    "lanes": 3,
    "streams": {**SMALL["streams"], "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True}},
    "workers": {
        "gate": {
            **SMALL["workers"]["gate"],
            "replicas": {"min": 2, "max": 8, "lag": 50, "calm": "10m"},
            "max_memory": "300MiB",
            "deadline": "90s",
        },
        "watch": {
            "kind": "anomaly",
            "watch": {"OK": {}},
            "writes": "EVENTS",
            "replicas": {"min": 1, "max": 8},
        },
        "off": {**SMALL["workers"]["gate"], "replicas": 0},
    },
}


def test_keda_scales_by_the_lag_of_each_stream_and_lane(tmp_path: Path) -> None:
    scaled = by_worker("ScaledObject", rendered(SCALED, tmp_path))["gate"]["spec"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (2, 8)
    behavior = scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 600
    assert [trigger["type"] for trigger in scaled["triggers"]] == ["redis-streams"] * 3
    assert [trigger["metadata"] for trigger in scaled["triggers"]] == [
        {
            "address": "redis.penstock.svc:6379",
            "databaseIndex": "0",
            "stream": f"IN{{{lane}}}",
            "consumerGroup": "gate",
            "lagCount": "50",
        }
        for lane in range(3)
    ]


def test_a_worker_that_owns_its_lanes_has_one_process_a_lane_at_most(tmp_path: Path) -> None:
    scaled = by_worker("ScaledObject", rendered(SCALED, tmp_path))["watch"]["spec"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (1, 3)


def test_a_worker_without_processes_stays_without(tmp_path: Path) -> None:
    objects = rendered(SCALED, tmp_path)
    assert "off" not in by_worker("ScaledObject", objects)
    assert by_worker("Deployment", objects)["off"]["spec"]["replicas"] == 0


def test_memory_and_time_to_drain_are_the_workers_own(tmp_path: Path) -> None:
    objects = rendered(SCALED, tmp_path)
    pod = by_worker("Deployment", objects)["gate"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["memory"] == "364Mi"
    assert pod["terminationGracePeriodSeconds"] == 110
    for thing in objects:
        check(thing)


@pytest.mark.parametrize(
    ("url", "kind", "metadata"),
    [
        ("rediss://r", "redis-streams", {"address": "r:6379", "enableTLS": "true"}),
        (
            "redis+cluster://a,b:7000",
            "redis-cluster-streams",
            {"addresses": "a:6379,b:7000"},
        ),
        (
            "redis+sentinel://a,b/main/2",
            "redis-sentinel-streams",
            {"addresses": "a:26379,b:26379", "sentinelMaster": "main", "databaseIndex": "2"},
        ),
    ],
)
def test_keda_is_led_to_the_server_that_the_workers_use(
    tmp_path: Path, url: str, kind: str, metadata: dict[str, str]
) -> None:
    where = Where("penstock:1", url, WHERE.neo4j)
    scaled = by_worker("ScaledObject", rendered(SCALED, tmp_path, where))["gate"]["spec"]
    trigger = scaled["triggers"][0]
    assert trigger["type"] == kind
    about = {"stream": "IN{0}", "consumerGroup": "gate", "lagCount": "50"}
    assert trigger["metadata"] == metadata | about


def test_the_way_out_leads_to_the_servers_and_nowhere_else(tmp_path: Path) -> None:
    where = Where("penstock:1", "redis+cluster://a:7000,b:7001", "bolt://graph:9999")
    (policy,) = of_kind("NetworkPolicy", rendered(SCALED, tmp_path, where))
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert ports == {53, 4318, 7000, 7001, 9999}
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize("url", ["redis://:hidden@r/0", "http://r", "r:6379", ""])
def test_a_url_that_cannot_be_used_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(CannotRender) as refused:
        Where("penstock:1", url, WHERE.neo4j)
    assert "hidden" not in str(refused.value)


def test_names_are_labels_of_dns_and_told_apart() -> None:
    def with_workers(*names: str) -> Topology:
        settings = REFERENCE.workers["hunt"]
        return REFERENCE.model_copy(update={"workers": dict.fromkeys(names, settings)})

    assert names_of(with_workers("a_b")) == {"a_b": "reference-a-b"}
    long = names_of(with_workers("x" * 62 + "a", "x" * 62 + "b"))
    assert len(set(long.values())) == 2
    assert all(len(name) <= 52 for name in long.values())
    with pytest.raises(CannotRender, match="reference-a-b"):
        names_of(with_workers("a_b", "a-b"))


def test_a_topology_that_no_config_map_holds_is_refused() -> None:
    with pytest.raises(CannotRender, match="ConfigMap"):
        manifests(REFERENCE, "#" * 1_000_001, WHERE, "penstock")
