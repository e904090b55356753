"""Objects for Kubernetes as they are shipped or rendered, and the schemas they follow."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from schemas.topology_file import load_topology
from supervisor.render.kubernetes import manifests
from supervisor.render.where import Where
from tests.servers.pipeline import topology_from

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "tests" / "data" / "kubernetes"
WHERE = Where("penstock:1", "redis://redis.penstock.svc:6379/0", "bolt://neo4j.penstock.svc:7687")
KUBERNETES = json.loads((SCHEMAS / "kubernetes-1.32.0.json").read_text())
REFERENCE = load_topology(ROOT / "streams.yaml")
FILES = {path.name: path.read_text() for path in (ROOT / "deploy" / "kubernetes").iterdir()}


def loaded(files: dict[str, str]) -> list[dict[str, Any]]:
    return [tree for text in files.values() for tree in YAML(typ="safe").load_all(text)]


OBJECTS = loaded(FILES)


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
