"""The Kubernetes manifests: fresh, valid by the published schemas, and fit for the workers."""

import urllib.request
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError
from prometheus_client import CollectorRegistry

from schemas.topology_graph import reads
from supervisor.render.kubernetes import manifests
from supervisor.render.where import Where
from supervisor.settings import SupervisorSettings
from tests.unit.deploy.manifested import (
    FILES,
    OBJECTS,
    REFERENCE,
    ROOT,
    WHERE,
    by_worker,
    check,
    of_kind,
)
from workers.__main__ import _options
from workers.health import HealthServer


def named(thing: dict[str, Any]) -> str:
    return f"{thing['kind']}/{thing['metadata']['name']}"


def test_the_files_are_fresh() -> None:
    from importlib.metadata import version

    where = Where(f"penstock:{version('penstock')}", WHERE.redis, WHERE.neo4j)
    text = (ROOT / "streams.yaml").read_text()
    made = manifests(REFERENCE, text, where, "penstock")
    assert made == FILES, "run: penstock render kubernetes --out deploy/kubernetes"


@pytest.mark.parametrize("thing", OBJECTS, ids=named)
def test_every_object_follows_its_schema(thing: dict[str, Any]) -> None:
    assert thing["apiVersion"]
    check(thing)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("Deployment", "replica", 1),
        ("Deployment", "template", "none"),
        ("PodDisruptionBudget", "maxUnavailable", []),
        ("ScaledObject", "maxReplicaCount", "4"),
        ("ScaledObject", "triggers", [{"type": "redis-streams", "metadata": {"lagCount": 5}}]),
        ("NetworkPolicy", "egress", [{"port": 53}]),
    ],
)
def test_a_wrong_object_would_be_found(kind: str, key: str, value: object) -> None:
    thing = of_kind(kind)[0]
    with pytest.raises(ValidationError):
        check({**thing, "spec": {**thing["spec"], key: value}})


def test_every_worker_has_a_deployment_a_budget_and_a_scaled_object() -> None:
    for kind in ("Deployment", "PodDisruptionBudget", "ScaledObject"):
        assert set(by_worker(kind)) == set(REFERENCE.workers), kind
    for worker, deployment in by_worker("Deployment").items():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == labels
        budget = by_worker("PodDisruptionBudget")[worker]["spec"]
        assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
        scaled = by_worker("ScaledObject")[worker]["spec"]
        assert scaled["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        assert "replicas" not in deployment["spec"], "the number is KEDA's"


def pods() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    found = []
    for worker, deployment in by_worker("Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        found.append((worker, pod, container))
    return found


@pytest.mark.parametrize(("worker", "pod", "container"), pods(), ids=[w for w, _, _ in pods()])
def test_no_pod_may_do_more_than_it_has_to(
    worker: str, pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    limits = container["resources"]["limits"]
    assert limits["memory"] == container["resources"]["requests"]["memory"]
    assert limits["cpu"]
    kept = REFERENCE.workers[worker].deadline + SupervisorSettings(Path()).drain_s
    assert pod["terminationGracePeriodSeconds"] >= kept


@pytest.mark.parametrize(("worker", "pod", "container"), pods(), ids=[w for w, _, _ in pods()])
def test_a_pod_starts_its_worker_where_its_probes_look(
    worker: str, pod: dict[str, Any], container: dict[str, Any]
) -> None:
    first, *arguments = container["args"]
    options = _options(arguments)
    assert (first, options.worker) == ("worker", worker)
    assert str(options.config.parent) in [each["mountPath"] for each in container["volumeMounts"]]
    assert container["ports"] == [{"name": "pages", "containerPort": options.port}]
    probes = {name: container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
    assert [probe["httpGet"]["path"] for probe in probes.values()] == [
        "/livez",
        "/livez",
        "/readyz",
    ]
    assert all(probe["httpGet"]["port"] == "pages" for probe in probes.values())


def test_what_the_probes_ask_for_is_served() -> None:
    asked = {
        container[f"{name}Probe"]["httpGet"]["path"]
        for _, _, container in pods()
        for name in ("startup", "liveness", "readiness")
    }
    server = HealthServer(CollectorRegistry(), lambda: "", lambda: "", "127.0.0.1", 0)
    try:
        for path in asked:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as answer:
                assert answer.status == 200
    finally:
        server.close()


def test_secrets_are_files_that_only_who_needs_them_gets() -> None:
    for worker, pod, container in pods():
        (volume,) = [v["secret"] for v in pod["volumes"] if "secret" in v]
        keys = {item["key"] for item in volume["items"]}
        lineage = {"neo4j_auth"} if REFERENCE.workers[worker].kind == "lineage" else set()
        assert keys == {"redis_password", "state_key"} | lineage
        named_files = {e["value"].rpartition("/")[2] for e in container["env"] if "value" in e}
        assert named_files == keys
        assert all(e["name"].endswith("_FILE") for e in container["env"] if "value" in e)
    assert not of_kind("Secret")


def test_every_stream_of_a_worker_has_its_trigger() -> None:
    for worker, scaled in by_worker("ScaledObject").items():
        streams = [trigger["metadata"]["stream"] for trigger in scaled["spec"]["triggers"]]
        assert streams == list(reads(REFERENCE, worker))
