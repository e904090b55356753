"""Each kind of payload: what it accepts comes back the same, and everything else is refused."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from schemas import known_schemas, resolve
from schemas.examples import EXAMPLES
from schemas.reference_page import example_key
from tests.unit.schemas.members import MEMBERS, cached_payloads

FREE = ("attributes", "parameters", "details")
"""The maps whose values may be texts as well as numbers."""
VALIDATORS = [Draft202012Validator(resolve(p.values[0]).json_schema()) for p in MEMBERS]
every_kind = pytest.mark.parametrize(("name", "member", "definitions"), MEMBERS)


def faults(name, raw):
    """The kinds of error that the schema finds in these bytes; none when it takes them."""
    try:
        resolve(name).validator.validate_json(raw)
    except ValidationError as error:
        return {fault["type"] for fault in error.errors(include_url=False, include_input=False)}
    return set()


def positions(schema, value, definitions, path=()):
    """(path, schema) of every place in ``value``, the schema being the branch that fits."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].split("/")[-1]]
    if "anyOf" in schema:
        root = {"$defs": definitions}
        fitting = [
            b for b in schema["anyOf"] if Draft202012Validator({**root, **b}).is_valid(value)
        ]
        yield from positions(fitting[0], value, definitions, path)
        return
    yield path, schema
    if isinstance(value, list):
        for i, inner in enumerate(value):
            yield from positions(schema["items"], inner, definitions, (*path, i))
    if isinstance(value, dict):
        for key, inner in value.items():
            below = schema.get("properties", {}).get(key) or schema["additionalProperties"]
            yield from positions(below, inner, definitions, (*path, key))


def replaced(value, path, change):
    """A copy of ``value`` with ``change`` applied to what stands at ``path``."""
    if not path:
        return change(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], change)
    return copy


def spots(member, definitions):
    """(path, schema, example) of every place in the member's example."""
    example = EXAMPLES[example_key(member)]
    for path, schema in positions(member, example, definitions):
        yield path, schema, example


@every_kind
def test_an_example_shows_every_field(name, member, definitions):
    for path, schema, example in spots(member, definitions):
        if "properties" in schema:
            shown = []
            replaced(example, path, shown.append)
            assert set(shown[0]) == set(schema["properties"]), path


@every_kind
def test_an_example_is_valid_and_survives_a_round_trip(name, member, definitions):
    schema, example = resolve(name), EXAMPLES[example_key(member)]
    Draft202012Validator(schema.json_schema()).validate(example)
    event = schema.validator.validate_json(json.dumps(example))
    assert json.loads(schema.adapter.dump_json(event)) == example


def test_there_is_an_example_for_every_kind_and_none_besides():
    assert {param.id for param in MEMBERS} == set(EXAMPLES)


@pytest.mark.parametrize("index", range(len(MEMBERS)), ids=[param.id for param in MEMBERS])
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_the_json_schema_allows_is_accepted_and_comes_back_the_same(index, data):
    payload = data.draw(cached_payloads(index))
    schema = resolve(MEMBERS[index].values[0])
    event = schema.validator.validate_json(json.dumps(payload))
    assert json.loads(schema.adapter.dump_json(event, exclude_unset=True)) == payload
    full = schema.adapter.dump_json(event)
    assert schema.validator.validate_json(full) == event
    assert VALIDATORS[index].is_valid(json.loads(full))


@every_kind
def test_a_payload_is_frozen(name, member, definitions):
    event = resolve(name).validator.validate_json(json.dumps(EXAMPLES[example_key(member)]))
    for field in type(event).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(event, field, None)


@every_kind
def test_an_unknown_field_is_refused_at_every_depth(name, member, definitions):
    for path, schema, example in spots(member, definitions):
        if "properties" in schema:
            payload = replaced(example, path, lambda value: {**value, "surplus": 1})
            assert "extra_forbidden" in faults(name, json.dumps(payload)), path


@every_kind
def test_a_required_field_may_not_be_left_out(name, member, definitions):
    for path, schema, example in spots(member, definitions):
        for key in schema.get("required", ()):
            payload = replaced(
                example, path, lambda value, key=key: {k: v for k, v in value.items() if k != key}
            )
            found = faults(name, json.dumps(payload))
            assert found & {"missing", "union_tag_not_found"}, (path, key)


@every_kind
@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(name, member, definitions, literal):
    for path, schema, example in spots(member, definitions):
        if schema.get("type") in ("number", "integer"):
            raw = json.dumps(replaced(example, path, lambda _: "HERE")).replace('"HERE"', literal)
            found = faults(name, raw)
            assert found & {"finite_number", "int_type", "int_parsing", "int_from_float"}, path


@every_kind
def test_a_number_out_of_its_range_is_refused(name, member, definitions):
    for path, schema, example in spots(member, definitions):
        outside = [schema[key] - 1 for key in ("minimum", "exclusiveMinimum") if key in schema]
        outside += [schema[key] + 1 for key in ("maximum", "exclusiveMaximum") if key in schema]
        outside += [schema[key] for key in ("exclusiveMinimum",) if key in schema]
        for number in outside:
            payload = replaced(example, path, lambda _, number=number: number)
            found = faults(name, json.dumps(payload))
            assert {fault.split("_")[0] for fault in found} <= {"greater", "less"}, path
            assert found, (path, number)


@every_kind
def test_a_text_that_is_too_long_is_refused(name, member, definitions):
    for path, schema, example in spots(member, definitions):
        if schema.get("type") == "string":
            length = schema.get("maxLength", 1000) + 1
            payload = replaced(example, path, lambda _, length=length: "x" * length)
            found = faults(name, json.dumps(payload))
            wrong_word = {"literal_error", "union_tag_invalid", "enum", "string_pattern_mismatch"}
            assert found & {"string_too_long", *wrong_word}, path


@every_kind
def test_a_list_or_map_that_is_too_long_is_refused(name, member, definitions):
    for path, schema, example in spots(member, definitions):
        if "maxItems" in schema:
            many = schema["maxItems"] + 1
            payload = replaced(example, path, lambda v, many=many: (v or ["x"]) * many)
            assert "too_long" in faults(name, json.dumps(payload)), path
        if "maxProperties" in schema:
            many = schema["maxProperties"] + 1
            payload = replaced(
                example,
                path,
                lambda v, many=many: dict.fromkeys(map(str, range(many)), *list(v.values())[:1]),
            )
            assert "too_long" in faults(name, json.dumps(payload)), path


@every_kind
def test_a_map_with_an_empty_or_overlong_name_is_refused(name, member, definitions):
    for path, schema, example in spots(member, definitions):
        for key in ("", "k" * 129) if "propertyNames" in schema else ():
            payload = replaced(example, path, lambda v, key=key: {key: next(iter(v.values()))})
            found = faults(name, json.dumps(payload))
            assert found & {"string_too_short", "string_too_long"}, (path, key)


@every_kind
def test_a_number_in_quotes_is_no_number(name, member, definitions):
    for path, schema, example in spots(member, definitions):
        if schema.get("type") in ("number", "integer") and path[0] not in FREE:
            payload = replaced(example, path, str)
            assert faults(name, json.dumps(payload)) <= {"float_type", "int_type"}, path
            assert faults(name, json.dumps(payload)), path


@every_kind
def test_an_integer_has_no_fraction_and_is_no_truth_value(name, member, definitions):
    for path, schema, example in spots(member, definitions):
        for text in ("1.0", "true") if schema.get("type") == "integer" else ():
            raw = json.dumps(replaced(example, path, lambda _: "HERE")).replace('"HERE"', text)
            assert faults(name, raw) == {"int_type"}, (path, text)


@pytest.mark.parametrize("name", [name for name in known_schemas() if ":L" in name][:6])
def test_an_unknown_kind_is_answered_with_the_kinds_there_are(name):
    kinds = [param.id for param in MEMBERS if param.values[0] == name]
    with pytest.raises(ValidationError) as caught:
        resolve(name).validator.validate_json('{"kind": "gossip"}')
    assert all(f"'{kind}'" in str(caught.value) for kind in ["gossip", *kinds])


@pytest.mark.parametrize("raw", ["", "{", "null", "[]", '"text"', "{}", '{"kind": 3}', "\ud800"])
def test_what_is_no_payload_at_all_is_refused(raw):
    raw = raw.encode("utf-8", "surrogatepass")
    assert all(faults(name, raw) for name in known_schemas())


def test_every_printable_text_is_a_name():
    reading = {**EXAMPLES["sensor_reading"], "sensor_id": string.printable}
    assert not faults("schemas:L3EventSchema", json.dumps(reading))


def test_a_free_value_keeps_its_type():
    attributes = {"text": "12", "number": 12, "flag": True}
    raw = json.dumps({**EXAMPLES["soc_event"], "attributes": attributes})
    event = resolve("schemas:L3EventSchema").validator.validate_json(raw)
    assert event.attributes == attributes
    assert [type(value) for value in event.attributes.values()] == [str, float, bool]
