"""Finds a schema by the name it has in ``streams.yaml``, such as ``schemas:L3EventSchema``."""

import difflib
import functools
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Annotated, Any, Literal, NewType, get_args, get_origin

from pydantic import BaseModel, PydanticUserError, TypeAdapter
from pydantic_core import PydanticUndefined, SchemaValidator
from pydantic_core import SchemaError as CoreSchemaError

from schemas import json_schema
from schemas.import_fault import import_fault

_BUILT_IN = (
    "L3EventSchema",
    "L4IntelSchema",
    "L5PredictionSchema",
    "L7ChatSchema",
    "L8SecuritySchema",
    "L9StrategicSchema",
    "Label",
    "AnomalyEvent",
    "DriftEvent",
    "Rejection",
    "DeadLetter",
    "LineageRecord",
    "SupervisorEvent",
)
_NAME = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<attribute>[^\W\d]\w*)")


class SchemaError(ValueError):
    """A schema's name leads to no schema."""


class SchemaNameError(SchemaError):
    """The name is not written as ``package.module:Attribute``."""


class SchemaImportError(SchemaError):
    """The module that the name gives cannot be imported."""


class SchemaNotFoundError(SchemaError):
    """The module has no such attribute."""


class NotASchemaError(SchemaError):
    """The attribute exists, but Pydantic cannot validate with it."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema, ready to validate.

    ``name`` is the one it was found by. ``adapter`` is Pydantic's full interface to it;
    ``validator`` is the same validator without the Python in between, for the hot path.
    ``version`` is what payloads carry as ``schema_version``, "1.0" where they carry none.
    ``models`` are the models that payloads may be of.
    """

    name: str
    adapter: TypeAdapter[Any] = field(repr=False)
    validator: SchemaValidator = field(repr=False)
    version: str
    models: tuple[type[BaseModel], ...] = field(default=(), repr=False)

    def json_schema(self) -> json_schema.JsonSchema:
        """The JSON Schema (draft 2020-12) of the payloads, made anew on each call."""
        return json_schema.document(self.adapter, title=self.name.partition(":")[2])


def known_schemas() -> tuple[str, ...]:
    """The names of the schemas that come with Penstock: the layers', labels, the side streams'.

    >>> known_schemas()[0]
    'schemas:L3EventSchema'
    """
    return tuple(f"schemas:{attribute}" for attribute in _BUILT_IN)


@functools.cache
def resolve(name: str) -> Schema:
    """The schema called ``name`` (``package.module:Attribute``); imports its module.

    The attribute may be a model, a union, or any type that a Pydantic ``TypeAdapter`` takes.
    A second call gives the same object; a call that failed is tried again.

    Raises:
        SchemaNameError: ``name`` is not of that form.
        SchemaImportError: the module cannot be imported.
        SchemaNotFoundError: the module has no such attribute.
        NotASchemaError: the attribute is nothing that can validate.

    >>> resolve("schemas:L3EventSchema").version
    '1.0'
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise SchemaNameError(
            f"schema {name!r} is not written as 'package.module:Attribute'; "
            "an example is 'schemas:L3EventSchema'"
        )
    module = _module(name, match["module"])
    value = _attribute(name, module, match["attribute"])
    adapter = _adapter(name, value)
    models = tuple(_models(value))
    return Schema(name, adapter, _validator(adapter), _version(models), models)


def _module(name: str, path: str) -> ModuleType:
    try:
        return importlib.import_module(path)
    except (Exception, SystemExit) as error:
        # Importing runs the author's code, which may raise anything.
        raise SchemaImportError(
            f"schema {name!r}: module {path!r} cannot be imported {import_fault(error)}"
        ) from error


def _attribute(name: str, module: ModuleType, attribute: str) -> Any:
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        types = [key for key, value in vars(module).items() if key[0] != "_" and _is_type(value)]
        close = difflib.get_close_matches(attribute, types, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; it has {_listing(types)}"
        raise SchemaNotFoundError(
            f"schema {name!r} does not exist in module {module.__name__!r}{hint}"
        ) from error


def _listing(types: list[str], most: int = 8) -> str:
    shown = ", ".join(sorted(types)[:most]) or "no types"
    return shown + (", …" if len(types) > most else "")


def _is_type(value: object) -> bool:
    # A `type X = …` alias is known by its `__value__`: the class differs between Pythons.
    is_alias = get_origin(value) is not None or hasattr(value, "__value__")
    return is_alias or isinstance(value, type | NewType)


def _adapter(name: str, value: Any) -> TypeAdapter[Any]:
    try:
        if not _is_type(value):
            raise TypeError(f"it is a {type(value).__name__}, not a type")
        adapter: TypeAdapter[Any] = TypeAdapter(value)
        # A model that was defined before the types it names is completed now, not mid-stream.
        adapter.rebuild()
    except (PydanticUserError, CoreSchemaError, TypeError, NameError) as error:
        raise NotASchemaError(
            f"schema {name!r} is nothing that Pydantic can validate with: "
            f"{str(error).splitlines()[0].rstrip('.')}; name a model or a union of models"
        ) from error
    return adapter


def _validator(adapter: TypeAdapter[Any]) -> SchemaValidator:
    validator = adapter.validator
    # Where a Pydantic plugin is installed it wraps the validator; the raw one is underneath.
    return validator if isinstance(validator, SchemaValidator) else validator._schema_validator


def _version(models: tuple[type[BaseModel], ...]) -> str:
    carried = models[0].model_fields.get("schema_version") if models else None
    if carried is None:
        return "1.0"
    if carried.default is not PydanticUndefined and carried.default is not None:
        return str(carried.default)
    literals = get_args(carried.annotation) if get_origin(carried.annotation) is Literal else ()
    return str(literals[0]) if literals else "1.0"


def _models(value: Any) -> Iterator[type[BaseModel]]:
    if isinstance(value, type) and issubclass(value, BaseModel):
        yield value
    elif hasattr(value, "__value__"):
        yield from _models(value.__value__)
    else:
        inner = get_args(value)[:1] if get_origin(value) is Annotated else get_args(value)
        for each in inner:
            yield from _models(each)
