"""The facets that OpenLineage events of ours carry, each with the version of its own schema."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from schemas.registry import resolve

VERSIONS = {
    "DataQualityAssertionsDatasetFacet": "1-1-0",
    "DataQualityMetricsInputDatasetFacet": "1-0-3",
    "DatasetTypeDatasetFacet": "1-0-1",
    "DatasourceDatasetFacet": "1-0-1",
    "DocumentationDatasetFacet": "1-1-0",
    "JobTypeJobFacet": "2-0-4",
    "OutputStatisticsOutputDatasetFacet": "1-0-2",
    "ProcessingEngineRunFacet": "1-1-1",
    "SchemaDatasetFacet": "1-2-0",
}
"""The version of each facet's schema."""

PRODUCER = "urn:penstock"
DEEPEST = 6
"""How many levels of nested fields a schema facet shows."""

Facet = dict[str, Any]


def facet(name: str, /, **said: Any) -> Facet:
    """A facet of this name, with who made it and which schema it keeps."""
    url = f"https://openlineage.io/spec/facets/{VERSIONS[name]}/{name}.json#/$defs/{name}"
    return {"_producer": producer(), "_schemaURL": url, **said}


def producer() -> str:
    """Who makes the events: this release of Penstock, as a URI."""
    return f"{PRODUCER}:{version('penstock')}"


def schema_fields(schema_name: str) -> list[dict[str, Any]]:
    """The fields of a stream's payloads; those of a union's members, each once.

    >>> [f["name"] for f in schema_fields("schemas:DeadLetter")][:3]
    ['schema_version', 'kind', 'message']
    """
    schema = resolve(schema_name).json_schema()
    return _fields(schema, schema, DEEPEST)


def _fields(part: Mapping[str, Any], whole: Mapping[str, Any], depth: int) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for member in _members(part, whole):
        for name, value in member.get("properties", {}).items():
            found.setdefault(name, _field(name, value, whole, depth))
    return list(found.values())


def _members(part: Mapping[str, Any], whole: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """An object itself, or the members of a union, references followed."""
    part = _followed(part, whole)
    choices = part.get("oneOf") or part.get("anyOf")
    if not choices:
        return [part]
    return [member for choice in choices for member in _members(choice, whole)]


def _field(
    name: str, value: Mapping[str, Any], whole: Mapping[str, Any], depth: int
) -> dict[str, Any]:
    members = _members(value, whole)
    sorts = [str(m.get("type", "object" if "properties" in m else "any")) for m in members]
    field: dict[str, Any] = {"name": name, "type": "|".join(dict.fromkeys(sorts))}
    if "description" in value:
        field["description"] = value["description"]
    nested = _fields(value, whole, depth - 1) if depth > 1 else []
    return {**field, "fields": nested} if nested else field


def _followed(part: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        part = whole["$defs"][part["$ref"].rpartition("/")[2]]
    return part
