"""The pod of a worker: one container that may do little, its probes, its files."""

from typing import Any

from schemas.topology_workers import AnyWorker
from supervisor.render.where import PORT, USER, drain_s, memory_mib, secrets_of

_SECRETS = "/run/secrets/penstock"
_TOPOLOGY = "/etc/penstock"
_DATA = "/var/lib/penstock"


def pod_template(
    worker: str,
    settings: AnyWorker,
    image: str,
    pipeline: str,
    labels: dict[str, str],
    seen: str,
) -> dict[str, Any]:
    """The pod template of a worker; ``seen`` is a digest of what it is configured by."""
    # no prometheus.io/scrape: a second job that scrapes the pods would make sums count twice
    return {
        "metadata": {"labels": labels, "annotations": {"penstock/configuration": seen}},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,  # a service called penstock would make PENSTOCK_PORT
            "terminationGracePeriodSeconds": drain_s(settings),
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": labels},
                }
            ],
            "containers": [_container(worker, settings, image, pipeline)],
            "volumes": _volumes(settings, pipeline),
        },
    }


def _container(worker: str, settings: AnyWorker, image: str, pipeline: str) -> dict[str, Any]:
    memory = f"{memory_mib(settings)}Mi"
    return {
        "name": "worker",
        "image": image,
        "args": [
            "worker", worker, "--config", f"{_TOPOLOGY}/streams.yaml",
            "--host", "$(POD_IP)", "--port", str(PORT),
        ],
        "envFrom": [{"configMapRef": {"name": f"{pipeline}-settings"}}],
        "env": [
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            *(
                {"name": f"{setting}_FILE", "value": f"{_SECRETS}/{secret}"}
                for setting, secret in secrets_of(settings).items()
            ),
        ],
        "ports": [{"name": "pages", "containerPort": PORT}],
        "startupProbe": _probe("/livez", every_s=2, times=60),
        "livenessProbe": _probe("/livez", every_s=10, times=3),
        "readinessProbe": _probe("/readyz", every_s=5, times=2),
        "resources": {
            "requests": {"cpu": "100m", "memory": memory},
            "limits": {"cpu": "1", "memory": memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "topology", "mountPath": _TOPOLOGY, "readOnly": True},
            {"name": "secrets", "mountPath": _SECRETS, "readOnly": True},
            {"name": "data", "mountPath": _DATA},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }  # fmt: skip


def _probe(path: str, *, every_s: int, times: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "pages"},
        "periodSeconds": every_s,
        "timeoutSeconds": 5,
        "failureThreshold": times,
    }


def _volumes(settings: AnyWorker, pipeline: str) -> list[dict[str, Any]]:
    items = [{"key": secret, "path": secret} for secret in secrets_of(settings).values()]
    secret = {"secretName": "penstock", "defaultMode": 0o440, "items": items}
    return [
        {"name": "topology", "configMap": {"name": f"{pipeline}-topology"}},
        {"name": "secrets", "secret": secret},
        {"name": "data", "emptyDir": {"sizeLimit": "64Mi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
