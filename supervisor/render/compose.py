"""A Compose file with a service for each worker, to be laid over ``compose.yaml``."""

from typing import Any

from schemas.topology import Topology
from supervisor.render.where import PORT, USER, Where, drain_s, head, memory_mib, secrets_of
from supervisor.render.yaml_text import as_yaml
from supervisor.scaler import processes_at_first

_SCRAPED = "penstock-workers"  # the name by which Prometheus finds all processes of all workers
_TOPOLOGY = {
    "type": "bind",
    "source": "${PENSTOCK_TOPOLOGY_DIR:-./deploy/topology}",
    "target": "/etc/penstock",
    "read_only": True,
    "bind": {"create_host_path": False},
}
_HEALTH = (
    f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{PORT}/readyz', timeout=3)"
)


def services(topology: Topology, where: Where) -> dict[str, str]:
    """The file by its name. The service ``penstock``, which has all workers, is put aside."""
    found: dict[str, Any] = {"penstock": {"profiles": ["all-in-one"]}}
    found |= {f"worker-{worker}": _service(topology, worker, where) for worker in topology.workers}
    return {"workers.yaml": head("compose") + as_yaml({"services": found})}


def _service(topology: Topology, worker: str, where: Where) -> dict[str, Any]:
    settings = topology.workers[worker]
    secrets, servers = secrets_of(settings), ["redis"]
    environment = {"PENSTOCK_REDIS_URL": where.redis}
    if "PENSTOCK_NEO4J_AUTH" in secrets:
        environment["PENSTOCK_NEO4J_URI"] = where.neo4j
        servers.append("neo4j")
    environment |= {f"{name}_FILE": f"/run/secrets/{secret}" for name, secret in secrets.items()}
    return {
        "image": where.image,
        "build": {"context": ".", "dockerfile": "deploy/Dockerfile"},
        "init": True,  # asks after what a keeper that was killed leaves
        "user": str(USER),
        "command": [
            "worker", worker, "--config", "/etc/penstock/streams.yaml",
            "--host", "0.0.0.0", "--port", str(PORT),
        ],
        "environment": environment,
        "secrets": list(secrets.values()),
        "networks": {"default": {"aliases": [_SCRAPED]}},
        "volumes": [_TOPOLOGY],
        "depends_on": {server: {"condition": "service_healthy"} for server in servers},
        "read_only": True,
        "tmpfs": ["/tmp", f"/var/lib/penstock:uid={USER},mode=0700"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}},
        "healthcheck": {
            "test": ["CMD", "python", "-c", _HEALTH],
            "interval": "5s",
            "timeout": "5s",
            "start_period": "20s",
            "retries": 12,
        },
        "stop_grace_period": f"{drain_s(settings)}s",
        "deploy": {
            "replicas": processes_at_first(topology, worker),
            "resources": {"limits": {"cpus": "1", "memory": f"{memory_mib(settings)}M"}},
        },
    }  # fmt: skip
