"""KEDA objects: a worker has more processes while more entries wait for it than one can handle.

The trigger ``redis-streams`` with ``lagCount`` asks the server for the lag of the worker's group,
stream by stream and lane by lane. KEDA has it from 2.11 on; Redis 7 and Valkey tell the lag.
"""

from typing import Any

from schemas.topology import Topology
from schemas.topology_graph import exclusive, reads
from schemas.topology_workers import AnyWorker
from streams.keys import Lane
from supervisor.render.where import Where

_POLL_S = 15
_MOST_CALM_S = 3600  # the longest that an autoscaler of Kubernetes looks back


def scaled_object(
    topology: Topology, worker: str, about: dict[str, Any], where: Where, login: str
) -> dict[str, Any]:
    """As many processes as the entries that wait ask for, within the worker's ``replicas``.

    ``about`` is the metadata, ``login`` the name of the trigger authentication.
    """
    settings = topology.workers[worker]
    calm_s = min(_MOST_CALM_S, int(settings.replicas.calm))
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": about,
        "spec": {
            "scaleTargetRef": {"name": about["name"]},
            "minReplicaCount": settings.replicas.min,
            "maxReplicaCount": most_processes(topology, settings),
            "pollingInterval": _POLL_S,
            "cooldownPeriod": calm_s,
            "advanced": {
                "horizontalPodAutoscalerConfig": {
                    "behavior": {"scaleDown": {"stabilizationWindowSeconds": calm_s}}
                }
            },
            "triggers": [
                _trigger(Lane(index, topology.lanes).stream(stream), worker, settings, where, login)
                for stream in reads(topology, worker)
                for index in range(topology.lanes)
            ],
        },
    }


def most_processes(topology: Topology, settings: AnyWorker) -> int:
    """The most processes a worker can use: one that owns its lanes alone has one a lane."""
    most = settings.replicas.max
    return min(most, topology.lanes) if exclusive(settings) else most


def _trigger(
    stream: str, worker: str, settings: AnyWorker, where: Where, login: str
) -> dict[str, Any]:
    metadata = {
        **_server(where),
        "stream": stream,
        "consumerGroup": worker,
        "lagCount": str(settings.replicas.lag),
    }
    how = where.server.scheme.partition("+")[2]
    return {
        "type": f"redis-{how}-streams" if how else "redis-streams",
        "metadata": metadata,
        "authenticationRef": {"name": login},
    }


def _server(where: Where) -> dict[str, str]:
    scheme, _, how = where.server.scheme.partition("+")
    first, _, second = where.server.path.strip("/").partition("/")
    named = {"addresses" if how else "address": ",".join(where.addresses)}
    if how == "sentinel":
        named |= {"sentinelMaster": first}
    database = second if how == "sentinel" else first
    if database and how != "cluster":
        named |= {"databaseIndex": database}
    return named | ({"enableTLS": "true"} if scheme == "rediss" else {})


def login(about: dict[str, Any], secret: str) -> dict[str, Any]:
    """How KEDA logs in: with the workers' own password."""
    reference = {"parameter": "password", "name": secret, "key": "redis_password"}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": about,
        "spec": {"secretTargetRef": [reference]},
    }
