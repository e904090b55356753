"""Which paths a schema's payloads can have: never one too few, and a typo is none."""

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    TypeAdapter,
    model_validator,
)
from typing_extensions import TypedDict

from detectors.fields import FieldTable
from schemas import known_schemas
from schemas.examples import EXAMPLES
from schemas.payload_paths import PayloadPaths
from schemas.registry import resolve
from schemas.side_examples import SIDE_EXAMPLES


def paths(value: Any) -> PayloadPaths:
    return PayloadPaths(TypeAdapter(value).core_schema)


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Item(Closed):
    price: float
    at: dict[str, int] = {}


class Order(Closed):
    amount: float | None = None
    item: Item | None = None
    tags: list[Item] = []
    note: Any = None


class Refund(Closed):
    reason: str


class Plain(BaseModel):
    amount: float
    inner: Item


class Open(Order):
    model_config = ConfigDict(extra="allow")


class Tree(Closed):
    left: "Tree | None" = None
    value: int = 0


class Renamed(Closed):
    amount: float = Field(alias="sum")


class EitherName(Renamed):
    model_config = ConfigDict(validate_by_name=True)


class Elsewhere(Closed):
    amount: float = Field(validation_alias=AliasChoices("sum", AliasPath("inner", "sum")))


class Lenient(Closed):
    amount: float

    @model_validator(mode="before")
    @classmethod
    def _older(cls, given: Any) -> Any:
        return given


class Checked(Closed):
    amount: float

    @model_validator(mode="after")
    def _positive(self) -> "Checked":
        return self


class Parsed(Closed):
    item: Annotated[Item, BeforeValidator(json.loads)]


class Root(RootModel[Order]):
    pass


class Typed(TypedDict):
    amount: float


@dataclass
class Record:
    amount: float


@pytest.mark.parametrize(
    ("value", "possible", "impossible"),
    [
        (Order, "amount am* [a]mount ?mount * item.price item.* *.price", "amnt b* Amount item"),
        (Order, "item.at.x item.at.y.z note note.x.y", "item.prices tags tags.price tags.* x"),
        (Order | Refund, "amount reason", "amnt raeson"),
        (list[Order], "", "amount *"),
        (dict[str, Item], "any.price any.at.x a.b.price", "price.x"),
        (dict, "any any.thing", ""),
        (Any, "any any.thing", ""),
        (float, "", "amount"),
        (Plain, "amount inner.price undeclared", "amnt inner.prices"),
        (Open, "amount undeclared undeclared.x item.prices", ""),
        (Tree, "value left.value left.left.left.value", "valve"),
        (Renamed, "sum", "amount"),
        (EitherName, "sum amount", "amnt.x"),
        (Elsewhere, "sum inner.sum", ""),
        (Lenient, "amount amnt", ""),
        (Checked, "amount", "amnt"),
        (Parsed, "item item.price item.prices", "itm"),
        (Root, "amount item.price", "amnt"),
        (Typed, "amount", "amnt"),
        (Record, "amount", "amnt"),
    ],
)  # fmt: skip
def test_a_path_is_impossible_where_no_payload_can_have_it(
    value: Any, possible: str, impossible: str
) -> None:
    found = paths(value)
    assert [path for path in possible.split() if not found.may_have(path)] == []
    assert [path for path in impossible.split() if found.may_have(path)] == []


def test_a_schema_of_too_many_paths_is_taken_to_have_any() -> None:
    node: dict[str, Any] = {"type": "int"}
    for may_have in (False, False, False, False, True):  # 8, 64, 512, 4096, 32768 paths
        fields = {key: {"type": "typed-dict-field", "schema": node} for key in "abcdefgh"}
        node = {"type": "typed-dict", "fields": fields, "extra_behavior": "forbid"}
        assert PayloadPaths(node).may_have("no.such") is may_have


@pytest.mark.parametrize("name", known_schemas())
def test_what_stands_in_an_example_is_never_impossible(name: str) -> None:
    schema = resolve(name)
    found = PayloadPaths(schema.adapter.core_schema)
    mine = [each for each in [*EXAMPLES.values(), *SIDE_EXAMPLES.values()] if _is_of(schema, each)]
    assert mine
    for example in mine:
        for field in FieldTable().columns([example]).names:
            assert found.may_have(field)
    assert not found.may_have("no_such_field")


def _is_of(schema: Any, example: Any) -> bool:
    try:
        schema.validator.validate_json(json.dumps(example))
    except ValueError:
        return False
    return True


keys = st.text("ab!", min_size=1, max_size=4)


@given(keys, st.text("ab!*?[]-", max_size=6))
def test_a_pattern_means_what_it_means_to_the_watch(key: str, pattern: str) -> None:
    fields = {key: {"type": "typed-dict-field", "schema": {"type": "int"}}}
    node = {"type": "typed-dict", "fields": fields, "extra_behavior": "forbid"}
    assert PayloadPaths(node).may_have(pattern) == fnmatchcase(key, pattern)


@given(keys, st.text("ab!.*?[]", max_size=6))
def test_a_free_key_may_be_whatever_a_pattern_wants(key: str, pattern: str) -> None:
    found = paths(dict[str, Item])
    if fnmatchcase(f"{key}.price", pattern):
        assert found.may_have(pattern)
