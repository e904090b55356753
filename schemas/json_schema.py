"""The JSON Schema (draft 2020-12) of a schema: what a producer in any language checks against."""

import json
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

JsonSchema = dict[str, Any]
"""A JSON Schema as parsed JSON."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The dialect of every exported schema."""

_NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = (
    "items",
    "additionalProperties",
    "propertyNames",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
)


def document(adapter: TypeAdapter[Any], title: str) -> JsonSchema:
    """The JSON Schema of what ``adapter`` accepts, self-contained and without ``$id``.

    ``title`` names a schema that has no title of its own, such as a union. Every nested type
    stands once under ``$defs``. JSON Schema calls 1.0 an integer, Penstock does not; apart from
    that the two accept the same payloads, unless the schema has validators of its own.

    >>> document(TypeAdapter(int), "Count")["title"]
    'Count'
    """
    return {"$schema": DIALECT, "title": title, **adapter.json_schema()}


def text(schema: JsonSchema) -> str:
    r"""``schema`` as sorted, indented text that ends in a newline: equal schemas, equal bytes.

    >>> text({"type": "integer", "minimum": 0})
    '{\n  "minimum": 0,\n  "type": "integer"\n}\n'
    """
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def rewrite(schema: Any, change: Callable[[JsonSchema], JsonSchema]) -> Any:
    """A copy of ``schema`` with ``change`` applied to it and to every schema inside it.

    The innermost come first. Only places that hold a schema are visited, so a field that is
    called ``items``, an example or a default is never taken for one.

    >>> rewrite({"items": {"title": "a"}, "default": {"title": "b"}}, lambda s: {**s, "title": "c"})
    {'items': {'title': 'c'}, 'default': {'title': 'b'}, 'title': 'c'}
    """
    if not isinstance(schema, dict):
        return schema
    return change({key: _rewrite_keyword(key, value, change) for key, value in schema.items()})


def _rewrite_keyword(key: str, value: Any, change: Callable[[JsonSchema], JsonSchema]) -> Any:
    if key in _NAMED:
        return {name: rewrite(inner, change) for name, inner in value.items()}
    if key in _LISTED:
        return [rewrite(inner, change) for inner in value]
    return rewrite(value, change) if key in _SINGLE else value
