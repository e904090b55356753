"""Every built-in schema: no field without a bound, and none of the layers' without a meaning."""

import pytest

from schemas import known_schemas, resolve
from schemas.json_schema import rewrite


def every_schema(name):
    """All schemas inside the JSON schema of ``name``."""
    found = []
    rewrite(resolve(name).json_schema(), lambda schema: found.append(schema) or schema)
    return found


@pytest.mark.parametrize("name", known_schemas())
def test_every_text_is_bounded(name):
    for schema in every_schema(name):
        if schema.get("type") == "string":
            assert schema.keys() & {"maxLength", "pattern", "enum", "const"}, schema


@pytest.mark.parametrize("name", known_schemas())
def test_every_pattern_is_anchored_and_repeats_a_bounded_number_of_times(name):
    for schema in every_schema(name):
        pattern = schema.get("pattern", "^$")
        assert pattern[0] == "^"
        assert pattern[-1] == "$"
        assert not set("*+") & set(pattern)
        assert ",}" not in pattern


@pytest.mark.parametrize("name", known_schemas())
def test_every_list_is_bounded(name):
    for schema in every_schema(name):
        if schema.get("type") == "array":
            assert "maxItems" in schema, schema


@pytest.mark.parametrize("name", known_schemas())
def test_every_map_and_its_names_are_bounded(name):
    for schema in every_schema(name):
        if schema.get("type") == "object" and schema["additionalProperties"] is not False:
            assert "maxProperties" in schema, schema
            assert "maxLength" in schema["propertyNames"], schema


@pytest.mark.parametrize("name", known_schemas())
def test_every_object_closes_its_fields(name):
    for schema in every_schema(name):
        if "properties" in schema:
            assert schema["additionalProperties"] is False, schema


@pytest.mark.parametrize("name", known_schemas()[:6])
def test_every_number_that_counts_has_a_range(name):
    for schema in every_schema(name):
        if schema.get("type") == "integer":
            assert {"minimum", "maximum"} <= schema.keys(), schema


@pytest.mark.parametrize("name", known_schemas()[:6])
def test_every_payload_carries_its_version_kind_and_security_context(name):
    document = resolve(name).json_schema()
    for branch in document["oneOf"]:
        member = document["$defs"][branch["$ref"].split("/")[-1]]
        assert {"schema_version", "kind", "security"} <= set(member["required"])
        assert member["properties"]["schema_version"]["const"] == "1.0"


@pytest.mark.parametrize("name", known_schemas()[:6])
def test_every_field_of_a_layer_says_what_it_means(name):
    document = resolve(name).json_schema()
    for title, definition in document["$defs"].items():
        for field, schema in definition.get("properties", {}).items():
            assert "description" in schema or title == "SecurityContext", (title, field)
