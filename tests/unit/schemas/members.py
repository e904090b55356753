"""Every kind of payload, by introspection, and a strategy for what its JSON schema allows."""

from functools import cache

import pytest
from hypothesis import strategies as st

from schemas import known_schemas, resolve
from schemas.reference_page import example_key

UIDS = st.from_regex(r"[A-Z][A-Z0-9_]{0,9}/[0-9]{1,13}-[0-9]{1,3}", fullmatch=True)
PATTERNS = {
    r"^[^/\s]{1,128}/\d{1,20}-\d{1,20}$": UIDS,
    r"^\d{1,4}\.\d{1,4}$": st.from_regex(r"[0-9]{1,4}\.[0-9]{1,4}", fullmatch=True),
    r"^[0-9a-f]{32}$": st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    r"^T[0-9]{4}(\.[0-9]{3})?$": st.from_regex(r"T[0-9]{4}(\.[0-9]{3})?", fullmatch=True),
}
TEXTS = st.characters(exclude_categories=["Cs"])


def members():
    """(schema name, kind, JSON schema of the member, definitions) of every kind."""
    for name in known_schemas():
        document = resolve(name).json_schema()
        definitions = document.get("$defs", {})
        branches = document.get("oneOf", [document])
        for branch in branches:
            member = definitions[branch["$ref"].split("/")[-1]] if "$ref" in branch else branch
            yield pytest.param(name, member, definitions, id=example_key(member))


MEMBERS = list(members())


def payloads(schema, definitions):
    """A strategy for the values that a JSON schema of ours accepts, kept small."""
    if "$ref" in schema:
        return payloads(definitions[schema["$ref"].split("/")[-1]], definitions)
    if "anyOf" in schema:
        return st.one_of([payloads(branch, definitions) for branch in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    return globals()[f"{schema['type']}s"](schema, definitions)


def nulls(schema, definitions):
    return st.none()


def booleans(schema, definitions):
    return st.booleans()


def strings(schema, definitions):
    if "pattern" in schema:
        return PATTERNS[schema["pattern"]]
    most = min(schema["maxLength"], 12)
    return st.text(TEXTS, min_size=schema.get("minLength", 0), max_size=most)


def integers(schema, definitions):
    return st.integers(schema.get("minimum"), schema.get("maximum", 2**53))


def numbers(schema, definitions):
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    return st.floats(
        low,
        schema.get("maximum"),
        exclude_min="exclusiveMinimum" in schema,
        allow_nan=False,
        allow_infinity=False,
    )


def arrays(schema, definitions):
    low = schema.get("minItems", 0)
    return st.lists(payloads(schema["items"], definitions), min_size=low, max_size=2)


def objects(schema, definitions):
    if "properties" not in schema:
        names = strings(schema["propertyNames"], definitions)
        values = payloads(schema["additionalProperties"], definitions)
        return st.dictionaries(names, values, min_size=schema.get("minProperties", 0), max_size=2)
    fields = {k: payloads(v, definitions) for k, v in schema["properties"].items()}
    required = {k: fields.pop(k) for k in schema.get("required", [])}
    if "kind" in fields:
        required["kind"] = fields.pop("kind")
    return st.fixed_dictionaries(required, optional=fields)


cached_payloads = cache(lambda index: payloads(*MEMBERS[index].values[1:]))
