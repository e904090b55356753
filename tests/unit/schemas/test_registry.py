"""Schemas by name: what is found, and what is said when nothing is."""

import subprocess
import sys
import textwrap

import pytest
from pydantic_core import SchemaValidator

import schemas
from schemas import (
    NotASchemaError,
    SchemaError,
    SchemaImportError,
    SchemaNameError,
    SchemaNotFoundError,
    resolve,
)


@pytest.fixture
def module(tmp_path, monkeypatch, request):
    """Writes a user's module and gives its name, unique to the test."""

    def write(source):
        name = f"user_{abs(hash(request.node.nodeid))}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return write


@pytest.mark.parametrize("name", schemas.known_schemas())
def test_every_built_in_schema_is_found_and_validates(name):
    schema = resolve(name)
    assert schema.name == name
    assert schema.version == "1.0"
    assert isinstance(schema.validator, SchemaValidator)


def test_every_public_name_exists_and_is_listed_in_order():
    assert sorted(schemas.__all__) == schemas.__all__
    assert all(hasattr(schemas, name) for name in schemas.__all__)


def test_a_name_is_resolved_once():
    assert resolve("schemas:AnomalyEvent") is resolve("schemas:AnomalyEvent")


def test_a_schema_in_a_log_is_one_short_line():
    assert repr(resolve("schemas:DriftEvent")) == (
        "Schema(name='schemas:DriftEvent', version='1.0')"
    )


def test_a_misspelt_schema_is_answered_with_the_right_spelling():
    with pytest.raises(SchemaNotFoundError) as caught:
        resolve("schemas:L3Evnt")
    assert str(caught.value) == (
        "schema 'schemas:L3Evnt' does not exist in module 'schemas'; did you mean 'L3EventSchema'?"
    )


def test_a_name_like_no_other_is_answered_with_what_there_is(module):
    name = module("class Reading: ...\nclass Order: ...\n")
    with pytest.raises(SchemaNotFoundError, match=r"; it has Order, Reading$"):
        resolve(f"{name}:Xyzzy")


def test_a_long_list_of_what_there_is_is_cut(module):
    name = module("".join(f"class C{i}: ...\n" for i in range(9)))
    with pytest.raises(SchemaNotFoundError, match="C7, …"):
        resolve(f"{name}:Xyzzy")


def test_an_empty_module_is_said_to_have_no_types(module):
    with pytest.raises(SchemaNotFoundError, match=r"; it has no types$"):
        resolve(f"{module('')}:Xyzzy")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "L3EventSchema",
        "schemas.L3EventSchema",
        "a:b:c",
        "a..b:C",
        "1a:B",
        ":B",
        "a:",
        "a b:C",
        "schemas:L3EventSchema\n",
    ],
)
def test_a_name_of_another_form_is_refused(name):
    with pytest.raises(SchemaNameError, match=r"not written as 'package.module:Attribute'"):
        resolve(name)


def test_a_missing_module_is_reported_with_its_cause():
    with pytest.raises(SchemaImportError, match="No module named 'nowhere'") as caught:
        resolve("nowhere.at_all:Event")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_module_that_raises_is_reported_with_its_cause(module):
    with pytest.raises(SchemaImportError, match="ZeroDivisionError: division by zero") as caught:
        resolve(f"{module('1 / 0')}:Event")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("schemas:known_schemas", "it is a function, not a type"),
        ("schemas:__doc__", "it is a str, not a type"),
        ("schemas.message:T", "it is a TypeVar, not a type"),
        ("json:JSONDecoder", "Unable to generate pydantic-core schema"),
    ],
)
def test_what_is_no_schema_is_refused_with_the_reason(name, reason):
    with pytest.raises(NotASchemaError, match=reason) as caught:
        resolve(name)
    assert caught.value.__cause__ is not None


def test_a_model_that_names_a_type_that_does_not_exist_is_refused(module):
    name = module("""
        from pydantic import BaseModel
        class Order(BaseModel):
            item: "Missing"
    """)
    with pytest.raises(NotASchemaError, match="Missing"):
        resolve(f"{name}:Order")


def test_a_model_that_was_defined_before_the_types_it_names_works(module):
    name = module("""
        from pydantic import BaseModel
        class Order(BaseModel):
            item: "Item"
        class Item(BaseModel):
            price: float
    """)
    order = resolve(f"{name}:Order").validator.validate_json('{"item": {"price": 2.5}}')
    assert order.item.price == 2.5


def test_all_errors_are_schema_errors_and_value_errors():
    for error in (SchemaNameError, SchemaImportError, SchemaNotFoundError, NotASchemaError):
        assert issubclass(error, SchemaError)
    assert issubclass(SchemaError, ValueError)


@pytest.mark.parametrize(
    ("body", "version"),
    [
        ("class Event(BaseModel):\n    schema_version: Literal['2.1']", "2.1"),
        ("class Event(BaseModel):\n    schema_version: str = '3.0'", "3.0"),
        ("class Event(BaseModel):\n    schema_version: str", "1.0"),
        ("class Event(BaseModel):\n    schema_version: Literal['4.0'] | None = None", "1.0"),
        ("class Event(BaseModel):\n    size: int", "1.0"),
        ("Event = dict[str, int]", "1.0"),
        ("class A(BaseModel):\n    schema_version: Literal['5.2']\nEvent = A | None", "5.2"),
        ("class A(BaseModel):\n    schema_version: Literal['6.0']\n"
         "Event = TypeAliasType('Event', Annotated[A | int, 'note'])", "6.0"),
    ],
)  # fmt: skip
def test_the_version_is_the_one_that_payloads_carry(module, body, version):
    head = "from typing import Annotated, Literal\nfrom pydantic import BaseModel\n"
    name = module(f"{head}from typing_extensions import TypeAliasType\n{body}\n")
    assert resolve(f"{name}:Event").version == version


def test_the_package_pulls_only_pydantic():
    code = """
        import sys
        before = set(sys.modules)
        import schemas
        print(*{name.partition(".")[0] for name in set(sys.modules) - before})
    """
    run = [sys.executable, "-c", textwrap.dedent(code)]
    found = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    pydantic = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions"}
    pydantic |= {"typing_inspection"}
    standard = {name for name in found if name in sys.stdlib_module_names or name[0] == "_"}
    assert set(found) - standard <= pydantic | {"schemas"}
