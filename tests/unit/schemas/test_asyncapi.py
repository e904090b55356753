"""The AsyncAPI document: valid by AsyncAPI's own schema, and true to the topology."""

import json
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel, TypeAdapter, WithJsonSchema

from schemas import Schema, known_schemas, resolve
from schemas.asyncapi import ChannelInfo, OperationInfo, asyncapi_document
from schemas.examples import EXAMPLES
from schemas.topology_asyncapi import topology_document
from schemas.topology_file import load_topology

PUBLISHED = Path(__file__).parents[2] / "data" / "asyncapi-3.0.0.json"
L3 = resolve("schemas:L3EventSchema")
STREAMS = {
    "L3_IN": ChannelInfo(L3, "Events as published."),
    "L3": ChannelInfo(L3, "Events that were validated."),
    "ANOMALY_EVENTS": ChannelInfo(resolve("schemas:AnomalyEvent"), "Anomalies."),
    "odd/name ~1 é": ChannelInfo(None, "A stream with any JSON."),
}
OPERATIONS = [
    OperationInfo("l3_gate", "L3_IN", "receive"),
    OperationInfo("l3_gate", "L3", "send"),
    OperationInfo("odd", "odd/name ~1 é", "send"),
]


@pytest.fixture(scope="module")
def published():
    return Draft7Validator(json.loads(PUBLISHED.read_text()))


@pytest.fixture
def document():
    return asyncapi_document("Waterworks", "1.2.0", STREAMS, OPERATIONS)


def schema_of(model, name):
    adapter = TypeAdapter(model)
    return Schema(name, adapter, adapter.validator, "1.0")


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    for inner in value if isinstance(value, list) else []:
        yield from references(inner)


def follow(document, reference):
    value = document
    for step in reference.removeprefix("#/").split("/"):
        value = value[unquote(step).replace("~1", "/").replace("~0", "~")]
    return value


def test_a_document_is_valid_by_the_published_schema(document, published):
    published.validate(document)


def test_a_document_of_all_built_in_schemas_is_valid(published):
    streams = {f"S{i}": ChannelInfo(resolve(n), n) for i, n in enumerate(known_schemas())}
    sends = [OperationInfo("worker", stream, "send") for stream in streams]
    published.validate(asyncapi_document("All", "1.0.0", streams, sends))


def test_a_document_of_nothing_is_valid(published):
    published.validate(asyncapi_document("Nothing", "0.0.1", {}, []))


def test_the_published_schema_refuses_a_document_with_a_fault(document, published):
    document["operations"]["l3_gate.send.L3"]["action"] = "shout"
    assert not published.is_valid(document)


def test_every_reference_leads_somewhere(document):
    found = set(references(document))
    assert {"#/components/schemas/SecurityContext", "#/channels/L3_IN"} <= found
    assert all(follow(document, reference) is not None for reference in found)


def test_a_stream_is_a_channel_at_its_own_address(document):
    assert {channel["address"] for channel in document["channels"].values()} == set(STREAMS)
    assert document["channels"]["L3"]["description"] == "Events that were validated."


def test_an_operation_names_its_worker_its_action_and_its_stream(document):
    operation = document["operations"]["l3_gate.receive.L3_IN"]
    assert operation["action"] == "receive"
    assert operation["tags"] == [{"name": "l3_gate"}]
    assert follow(document, operation["channel"]["$ref"])["address"] == "L3_IN"


def test_a_payload_in_the_document_validates_what_the_schema_validates(document):
    message = follow(document, "#/channels/L3_IN/messages/schemas.L3EventSchema/$ref")
    payload = {**follow(document, message)["payload"], "components": document["components"]}
    validator = Draft7Validator(payload)
    validator.validate(EXAMPLES["sensor_reading"])
    assert not validator.is_valid({**EXAMPLES["sensor_reading"], "sensor_id": ""})
    assert not validator.is_valid(EXAMPLES["decision"])


def test_a_stream_without_a_schema_carries_any_json(document):
    assert document["components"]["messages"]["any"]["payload"] == {}


def test_the_headers_are_the_fields_of_an_entry(document):
    headers = follow(document, document["components"]["messages"]["any"]["headers"]["$ref"])
    fields = {"data", "id", "source", "type", "time", "subject", "traceparent", "parents"}
    assert set(headers["properties"]) == fields
    assert headers["required"] == ["data"]


def test_the_server_is_where_it_is_said_to_be():
    document = asyncapi_document("Far", "1.0.0", {}, [], host="redis.example:6380")
    assert document["servers"]["redis"] == {"host": "redis.example:6380", "protocol": "redis"}


def test_nothing_of_json_schema_2020_12_is_left(document):
    raw = json.dumps(document)
    assert all(f'"{word}"' not in raw for word in ("$defs", "prefixItems", "discriminator"))


def test_two_types_of_one_name_stay_two(published):
    first = type("Event", (BaseModel,), {"__annotations__": {"a": int}, "__module__": "one"})
    second = type("Event", (BaseModel,), {"__annotations__": {"b": str}, "__module__": "two"})
    streams = {
        "A": ChannelInfo(schema_of(first, "one:Event"), "a"),
        "B": ChannelInfo(schema_of(second, "two:Event"), "b"),
    }
    document = asyncapi_document("Two", "1.0.0", streams, [])
    published.validate(document)
    schemas = document["components"]["schemas"]
    fields = [
        set(follow(document, schemas[key]["$ref"])["properties"])
        for key in ("one.Event", "two.Event")
    ]
    assert fields == [{"a"}, {"b"}]


def test_a_tuple_is_put_in_the_words_of_draft_07(published):
    pair_schema = schema_of(tuple[int, str], "user:Pair")
    document = asyncapi_document("Pair", "1.0.0", {"P": ChannelInfo(pair_schema, "")}, [])
    published.validate(document)
    pair = Draft7Validator(document["components"]["schemas"]["user.Pair"])
    assert pair.is_valid([1, "a"])
    assert not pair.is_valid(["a", 1])


def test_a_list_with_a_rule_for_its_tail_keeps_it():
    words = {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}
    schema = schema_of(Annotated[list[int | str], WithJsonSchema(words)], "user:Tail")
    document = asyncapi_document("Tail", "1.0.0", {"T": ChannelInfo(schema, "")}, [])
    tail = Draft7Validator(document["components"]["schemas"]["user.Tail"])
    assert tail.is_valid([1, "a", "b"])
    assert not tail.is_valid([1, "a", 2])


def test_a_description_beside_a_reference_survives(document):
    security = document["components"]["schemas"]["SocEvent"]["properties"]["security"]
    assert security["description"] == "Who may see the message."
    assert security["allOf"] == [{"$ref": "#/components/schemas/SecurityContext"}]


def test_an_operation_on_a_stream_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"worker 'w' .* stream 'L4', which is not among"):
        asyncapi_document("Bad", "1.0.0", STREAMS, [OperationInfo("w", "L4", "send")])


def test_the_supervisors_stream_is_written_by_it(published):
    topology = load_topology(Path(__file__).parents[3] / "streams.yaml")
    document = topology_document(topology)
    published.validate(document)
    channel = document["channels"]["SUPERVISOR_EVENTS"]
    assert channel["description"].startswith("Written by the supervisor; read by consumers")
    assert document["operations"]["supervisor.send.SUPERVISOR_EVENTS"]["action"] == "send"
