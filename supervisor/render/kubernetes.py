"""Kubernetes manifests of a pipeline: what all workers share, and a file for each of them."""

from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from schemas.topology import Topology
from schemas.topology_workers import LineageWorkerSettings
from supervisor.render.keda import login, most_processes, scaled_object
from supervisor.render.pod import pod_template
from supervisor.render.where import PORT, CannotRender, Where, head, label, names_of
from supervisor.render.yaml_text import as_yaml

_MOST_BYTES = 1_000_000  # a ConfigMap has a mebibyte at most
_OTLP_PORT = 4318


def manifests(topology: Topology, text: str, where: Where, namespace: str) -> dict[str, str]:
    """Files of manifests by name; ``text`` is the topology file as it was written.

    Raises CannotRender for a topology that is too large for a ConfigMap.
    """
    if len(text.encode()) > _MOST_BYTES:
        raise CannotRender("the topology file has more than 1 MB, too much for a ConfigMap")
    made = _Manifests(topology, text, where, namespace)
    files = {"pipeline.yaml": made.shared()}
    files |= {f"worker-{worker}.yaml": made.of(worker) for worker in topology.workers}
    return {name: head("kubernetes") + as_yaml(*objects) for name, objects in files.items()}


class _Manifests:
    def __init__(self, topology: Topology, text: str, where: Where, namespace: str) -> None:
        self._topology = topology
        self._text = text
        self._where = where
        self._namespace = namespace
        self._pipeline = label(topology.name)
        self._names = names_of(topology)

    def shared(self) -> list[dict[str, Any]]:
        restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
        return [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": self._namespace, "labels": restricted},
            },
            self._config_map("topology", {"streams.yaml": self._text}),
            self._config_map("settings", self._settings()),
            login(self._about(f"{self._pipeline}-redis"), "penstock"),
            self._network_policy(),
        ]

    def of(self, worker: str) -> list[dict[str, Any]]:
        settings = self._topology.workers[worker]
        about = self._about(self._names[worker], worker)
        most = most_processes(self._topology, settings)
        found = [self._deployment(worker, about, scaled=most > 0), self._budget(worker, about)]
        if most > 0:
            redis = f"{self._pipeline}-redis"
            found.append(scaled_object(self._topology, worker, about, self._where, redis))
        return found

    def _about(self, name: str, worker: str | None = None) -> dict[str, Any]:
        return {"name": name, "namespace": self._namespace, "labels": self._labels(worker)}

    def _labels(self, worker: str | None = None) -> dict[str, str]:
        shared = {
            "app.kubernetes.io/name": "penstock",
            "app.kubernetes.io/instance": self._pipeline,
        }
        return shared | ({"app.kubernetes.io/component": label(worker)} if worker else {})

    def _config_map(self, name: str, data: dict[str, str]) -> dict[str, Any]:
        about = self._about(f"{self._pipeline}-{name}")
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": data}

    def _settings(self) -> dict[str, str]:
        found = {"PENSTOCK_REDIS_URL": self._where.redis}
        workers = self._topology.workers.values()
        if any(isinstance(settings, LineageWorkerSettings) for settings in workers):
            found["PENSTOCK_NEO4J_URI"] = self._where.neo4j
        return found

    def _deployment(self, worker: str, about: dict[str, Any], *, scaled: bool) -> dict[str, Any]:
        settings = self._topology.workers[worker]
        seen = f"{self._text}\0{sorted(self._settings().items())}"  # a change starts pods anew
        template = pod_template(
            worker,
            settings,
            self._where.image,
            self._pipeline,
            self._labels(worker),
            sha256(seen.encode()).hexdigest(),
        )
        spec = {
            "revisionHistoryLimit": 3,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "selector": {"matchLabels": self._labels(worker)},
            "template": template,
        }
        if not scaled:  # else the number is KEDA's, and applying the file again must not reset it
            spec = {"replicas": 0, **spec}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec}

    def _budget(self, worker: str, about: dict[str, Any]) -> dict[str, Any]:
        """One process at a time may be evicted: never none, or no node could be drained."""
        spec = {"maxUnavailable": 1, "selector": {"matchLabels": self._labels(worker)}}
        return {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": about,
            "spec": spec,
        }

    def _network_policy(self) -> dict[str, Any]:
        """Who scrapes may come in; out go names, the stream server, the graph and traces."""
        servers = {int(address.rpartition(":")[2]) for address in self._where.addresses}
        graph = urlsplit(self._where.neo4j).port or 7687
        out = [{"protocol": "TCP", "port": port} for port in sorted(servers | {graph, _OTLP_PORT})]
        names = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
        spec = {
            "podSelector": {"matchLabels": self._labels()},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [{"protocol": "TCP", "port": PORT}]}],
            "egress": [{"ports": names}, {"ports": out}],
        }
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": self._about(self._pipeline),
            "spec": spec,
        }
