"""The Kubernetes manifests: fresh, valid by the published schemas, and fit for the workers."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from prometheus_client import CollectorRegistry
from ruamel.yaml import YAML

from schemas.topology import Topology
from schemas.topology_file import load_topology
from schemas.topology_graph import reads
from supervisor.render.kubernetes import manifests
from supervisor.render.where import CannotRender, Where, names_of
from supervisor.settings import SupervisorSettings
from tests.servers.pipeline import SMALL, topology_from
from workers.__main__ import _options
from workers.health import HealthServer

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "tests" / "data" / "kubernetes"
WHERE = Where("penstock:1", "redis://redis.penstock.svc:6379/0", "bolt://neo4j.penstock.svc:7687")
KUBERNETES = json.loads((SCHEMAS / "kubernetes-1.32.0.json").read_text())
REFERENCE = load_topology(ROOT / "streams.yaml")
FILES = {path.name: path.read_text() for path in (ROOT / "deploy" / "kubernetes").iterdir()}


def loaded(files: dict[str, str]) -> list[dict[str, Any]]:
    return [tree for text in files.values() for tree in YAML(typ="safe").load_all(text)]


OBJECTS = loaded(FILES)


def named(thing: dict[str, Any]) -> str:
    return f"{thing['kind']}/{thing['metadata']['name']}"


def of_kind(kind: str, objects: list[dict[str, Any]] = OBJECTS) -> list[dict[str, Any]]:
    return [thing for thing in objects if thing["kind"] == kind]


def by_worker(kind: str, objects: list[dict[str, Any]] = OBJECTS) -> dict[str, dict[str, Any]]:
    component = "app.kubernetes.io/component"
    return {t["metadata"]["labels"][component]: t for t in of_kind(kind, objects)}


def schema_of(kind: str) -> dict[str, Any]:
    if kind in ("ScaledObject", "TriggerAuthentication"):
        found: dict[str, Any] = json.loads(
            (SCHEMAS / f"keda-{kind.lower()}_v1alpha1.json").read_text()
        )
        return found
    assert kind in KUBERNETES["$defs"], f"there is no schema of {kind} in {SCHEMAS}"
    return {**KUBERNETES, "$ref": f"#/$defs/{kind}"}


def check(thing: dict[str, Any]) -> None:
    Draft202012Validator(schema_of(thing["kind"])).validate(thing)


def rendered(tree: dict[str, Any], directory: Path, where: Where = WHERE) -> list[dict[str, Any]]:
    topology = topology_from(tree, directory)
    return loaded(manifests(topology, "version: 1\n", where, "elsewhere"))


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


def test_every_stream_of_a_worker_has_its_trigger() -> None:
    for worker, scaled in by_worker("ScaledObject").items():
        streams = [trigger["metadata"]["stream"] for trigger in scaled["spec"]["triggers"]]
        assert streams == list(reads(REFERENCE, worker))
