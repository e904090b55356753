"""The exported JSON Schema: valid, self-contained, and the same bytes every time."""

import json

import pytest
from jsonschema import Draft202012Validator

from schemas import known_schemas, resolve
from schemas.json_schema import DIALECT, rewrite, text


@pytest.mark.parametrize("name", known_schemas())
def test_an_export_is_a_valid_schema_of_the_dialect_it_names(name):
    document = resolve(name).json_schema()
    assert document["$schema"] == DIALECT == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(document)


@pytest.mark.parametrize("name", known_schemas())
def test_an_export_has_the_name_as_title_and_no_id(name):
    document = resolve(name).json_schema()
    assert document["title"] == name.partition(":")[2]
    assert '"$id"' not in text(document)


@pytest.mark.parametrize("name", known_schemas())
def test_an_export_refers_only_to_itself(name):
    document = resolve(name).json_schema()

    def check(schema):
        root, _, key = schema.get("$ref", "#/$defs/").rpartition("/")
        assert root == "#/$defs"
        assert not key or key in document["$defs"]
        return schema

    rewrite(document, check)


@pytest.mark.parametrize("name", known_schemas())
def test_an_export_is_the_same_text_every_time(name):
    first, second = (text(resolve(name).json_schema()) for _ in range(2))
    assert first == second
    assert list(json.loads(first)) == sorted(json.loads(first))


def test_a_rewrite_leaves_its_input_alone():
    schema = {"anyOf": [{"type": "null"}, {"items": {"type": "string"}}], "additionalProperties": 0}
    before = text(schema)
    changed = rewrite(schema, lambda inner: {**inner, "x-seen": True})
    assert text(schema) == before
    assert text(changed).count("x-seen") == 4


def test_a_rewrite_takes_no_field_for_a_keyword():
    schema = {"properties": {"items": {"const": {"items": {}}}}}
    seen = []
    rewrite(schema, lambda inner: seen.append(inner) or inner)
    assert seen == [{"const": {"items": {}}}, schema]
