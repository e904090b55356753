"""The AsyncAPI 3.0.0 document of a topology: its streams, payloads and workers, for any tool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from pydantic import TypeAdapter

from schemas.json_schema import JsonSchema, rewrite
from schemas.registry import Schema

Action = Literal["send", "receive"]
"""What a worker does with a stream: ``send`` writes to it, ``receive`` reads it."""


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A stream: the schema of its payloads (None: any JSON), and what it is for."""

    schema: Schema | None
    description: str


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """That ``worker`` sends to, or receives from, ``stream``."""

    worker: str
    stream: str
    action: Action


ENTRY_HEADERS: JsonSchema = {
    "type": "object",
    "description": "The fields of a stream entry: `data` is the payload, the others describe it.",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "description": "The JSON payload, validated against the stream's schema.",
        },
        "id": {
            "type": "string",
            "description": "The producer's own id: publishing it twice yields one message.",
        },
        "source": {"type": "string", "description": "CloudEvents `source`."},
        "type": {"type": "string", "description": "CloudEvents `type`."},
        "time": {"type": "string", "description": "CloudEvents `time`, as RFC 3339."},
        "subject": {"type": "string", "description": "CloudEvents `subject`."},
        "traceparent": {
            "type": "string",
            "description": "W3C trace context, carried through every hop.",
        },
        "parents": {
            "type": "string",
            "description": "Set by workers: the uids that the message was derived from.",
        },
    },
    "additionalProperties": {"type": "string"},
}
"""The schema of an entry's flat fields; AsyncAPI calls them headers."""


def asyncapi_document(
    title: str,
    version: str,
    streams: Mapping[str, ChannelInfo],
    operations: Sequence[OperationInfo],
    *,
    host: str = "localhost:6379",
) -> dict[str, Any]:
    """The AsyncAPI 3.0.0 document of a topology, as parsed JSON.

    ``version`` is the topology's own; ``streams`` maps a stream's name to what it carries;
    ``host`` is the server's ``host:port``. The same inputs give the same document.

    Raises:
        ValueError: an operation names a stream that is not among ``streams``.
    """
    schemas = {info.schema.name: info.schema for info in streams.values() if info.schema}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": version,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"redis": {"host": host, "protocol": "redis"}},
        "channels": {name: _channel(name, info) for name, info in streams.items()},
        "operations": {
            f"{info.worker}.{info.action}.{info.stream}": _operation(info, streams)
            for info in operations
        },
        "components": {
            "messages": {_key(info.schema): _message(info.schema) for info in streams.values()},
            "schemas": {"entry": ENTRY_HEADERS, **_payloads(list(schemas.values()))},
        },
    }


def _channel(stream: str, info: ChannelInfo) -> dict[str, Any]:
    key = _key(info.schema)
    return {
        "address": stream,
        "description": info.description,
        "servers": [_ref("servers", "redis")],
        "messages": {key: _ref("components", "messages", key)},
    }


def _operation(info: OperationInfo, streams: Mapping[str, ChannelInfo]) -> dict[str, Any]:
    if info.stream not in streams:
        raise ValueError(
            f"worker {info.worker!r} is to {info.action} on stream {info.stream!r}, which is not "
            f"among the streams {sorted(streams)}"
        )
    key = _key(streams[info.stream].schema)
    return {
        "action": info.action,
        "channel": _ref("channels", info.stream),
        "messages": [_ref("channels", info.stream, "messages", key)],
        "tags": [{"name": info.worker}],
    }


def _message(schema: Schema | None) -> dict[str, Any]:
    title = schema.name.partition(":")[2] if schema else "Any JSON"
    payload = _ref("components", "schemas", _key(schema)) if schema else {}
    return {
        "name": _key(schema),
        "title": title,
        "contentType": "application/json",
        "headers": _ref("components", "schemas", "entry"),
        "payload": payload,
    }


def _key(schema: Schema | None) -> str:
    # Component keys have no colon. A payload's key has a dot, a nested type's has none.
    return schema.name.replace(":", ".") if schema else "any"


def _payloads(schemas: Sequence[Schema]) -> dict[str, JsonSchema]:
    # Pydantic names the nested types of all schemas together, so two `Event`s stay two.
    payloads, shared = TypeAdapter.json_schemas(
        [(_key(schema), "validation", schema.adapter) for schema in schemas],
        ref_template="#/components/schemas/{model}",
    )
    named = {key: schema for (key, _), schema in payloads.items()}
    everything = {**named, **shared.get("$defs", {})}
    return {key: rewrite(schema, _to_draft_07) for key, schema in sorted(everything.items())}


def _to_draft_07(schema: JsonSchema) -> JsonSchema:
    """AsyncAPI's own schema format is draft-07, whose ``discriminator`` cannot map values."""
    changed = {key: value for key, value in schema.items() if key != "discriminator"}
    if "prefixItems" in changed:
        rest = {"additionalItems": changed["items"]} if "items" in changed else {}
        changed |= {"items": changed.pop("prefixItems"), **rest}
    if "$ref" in changed and len(changed) > 1:
        # In draft-07 whatever stands beside a $ref is not read.
        changed["allOf"] = [{"$ref": changed.pop("$ref")}, *changed.get("allOf", [])]
    return changed


def _ref(*path: str) -> dict[str, str]:
    steps = (quote(step.replace("~", "~0").replace("/", "~1")) for step in path)
    return {"$ref": "#/" + "/".join(steps)}
