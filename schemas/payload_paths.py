"""The dotted paths at which a schema's payloads can have a number, a text or a flag.

They are read off what Pydantic validates with, its core schema. What that does not tell, such as
what a validator of the author's own lets through, counts as anything: a path is said to be
impossible only where it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, NamedTuple

_MOST_PATHS = 10_000
_TOKEN = re.compile(r"\[!?+.[^\]]*\]|.", re.DOTALL)
_NUMBERS = frozenset(("bool", "int", "float", "decimal", "fraction", "complex"))
_TIMES = frozenset(("date", "time", "datetime", "timedelta"))
_TEXTS = frozenset(("str", "bytes", "url", "multi-host-url", "uuid", "json"))
_VALUES = _NUMBERS | _TIMES | _TEXTS | {"none", "literal", "enum"}
_LISTS = frozenset(("list", "deque", "tuple", "set", "frozenset", "generator"))
_AROUND = frozenset(("default", "nullable", "function-after"))

_Node = Mapping[str, Any]
_Steps = tuple[str | None, ...]
"""The keys of a path; None stands for any text, dots included."""


class _Found(NamedTuple):
    """A path, and whether the schema names it, or would only ignore it."""

    steps: _Steps
    named: bool = True


class PayloadPaths:
    """What paths a schema's payloads can have; a ``TypeAdapter`` has its ``core_schema``.

    A model that ignores what it does not know lets other fields through. A path that only such a
    model would let through counts as impossible where it is nearly one that the schema names.

    >>> from schemas.registry import resolve
    >>> paths = PayloadPaths(resolve("schemas:L3EventSchema").adapter.core_schema)
    >>> paths.may_have("measurements.[xy]"), paths.may_have("measurments.x")
    (True, False)
    """

    def __init__(self, core_schema: Mapping[str, Any]) -> None:
        found = list(islice(_Walk().paths(core_schema, ()), _MOST_PATHS + 1))
        if len(found) > _MOST_PATHS:
            found = [_Found((None,))]
        self._named = [each.steps for each in found if each.named]
        self._ignored = [each.steps for each in found if not each.named]
        shown = {".".join("*" if step is None else step for step in steps) for steps in self._named}
        self.names = sorted(shown - {"*"})
        """The paths, with ``*`` for keys that are free."""

    def may_have(self, pattern: str) -> bool:
        """Whether an ``fnmatch`` pattern can match the path of a value."""
        if _meets_any(pattern, self._named):
            return True
        return not self.near(pattern) and _meets_any(pattern, self._ignored)

    def near(self, pattern: str) -> list[str]:
        """The name that is most like ``pattern``, if there is one."""
        return get_close_matches(pattern, self.names, n=1)


class _Walk:
    """Goes through a core schema, each definition once on the way down."""

    def __init__(self) -> None:
        self._definitions: dict[str, _Node] = {}

    def paths(
        self, node: _Node, at: _Steps, inside: frozenset[str] = frozenset()
    ) -> Iterator[_Found]:
        kind = node["type"]
        if kind in _VALUES:
            yield from [_Found(at)] if at else []
        elif kind in _AROUND:
            yield from self.paths(node["schema"], at, inside)
        elif kind == "definitions":
            self._definitions |= {each["ref"]: each for each in node["definitions"]}
            yield from self.paths(node["schema"], at, inside)
        elif kind == "definition-ref":
            yield from self._referred(node["schema_ref"], at, inside)
        elif kind in ("union", "tagged-union"):
            for choice in _choices(node["choices"]):
                yield from self.paths(choice, at, inside)
        elif kind == "dict":
            values = node.get("values_schema") or {"type": "any"}
            yield from self.paths(values, (*at, None), inside)
        elif kind in ("model", "dataclass") and not node.get("custom_init"):
            yield from self._fields(node["schema"], node, at, inside)
        elif kind == "typed-dict":
            yield from self._fields(node, node, at, inside)
        elif kind not in _LISTS:  # no path leads into a list
            yield from _anything(at)

    def _referred(self, ref: str, at: _Steps, inside: frozenset[str]) -> Iterator[_Found]:
        known = self._definitions.get(ref)
        if known is None or ref in inside:
            yield from _anything(at)
        else:
            yield from self.paths(known, at, inside | {ref})

    def _fields(
        self, node: _Node, owner: _Node, at: _Steps, inside: frozenset[str]
    ) -> Iterator[_Found]:
        if node["type"] == "function-after":
            yield from self._fields(node["schema"], owner, at, inside)
            return
        if node["type"] not in ("model-fields", "typed-dict", "dataclass-args"):
            yield from self.paths(node, at, inside)  # a root model, or a validator in between
            return
        settings = owner.get("config", {})
        listed = node["fields"]
        pairs = listed.items() if isinstance(listed, dict) else ((f["name"], f) for f in listed)
        for name, field in pairs:
            for key in _keys(name, field, settings):
                yield from self.paths(field["schema"], (*at, key), inside)
        extra = node.get("extra_behavior") or settings.get("extra_fields_behavior", "ignore")
        if extra != "forbid":
            yield _Found((*at, None), named=extra == "allow")


def _anything(at: _Steps) -> Iterator[_Found]:
    if at:
        yield _Found(at)
    yield _Found((*at, None))


def _choices(choices: Any) -> Iterator[_Node]:
    for choice in choices.values() if isinstance(choices, dict) else choices:
        yield choice[0] if isinstance(choice, tuple) else choice


def _keys(name: str, field: _Node, settings: Mapping[str, Any]) -> Iterator[str | None]:
    alias = field.get("validation_alias")
    if alias is not None:
        yield alias if isinstance(alias, str) else None  # several, or a way through other fields
    if alias is None or settings.get("validate_by_name"):
        yield name


def _meets_any(pattern: str, paths: Iterable[_Steps]) -> bool:
    tokens = _TOKEN.findall(pattern)
    return any(_meets(tokens, steps) for steps in paths)


def _meets(tokens: list[str], steps: _Steps) -> bool:
    """Whether a pattern's tokens match some path: how many of them may be used up, step by step."""
    used = _past_stars(tokens, {0})
    for symbol in _symbols(steps):
        if symbol is None:
            used = set(range(min(used), len(tokens) + 1))
        else:
            open_ = ((at, tokens[at]) for at in used if at < len(tokens))
            step = {at + (t != "*") for at, t in open_ if fnmatchcase(symbol, t)}
            used = _past_stars(tokens, step)
        if not used:
            return False
    return len(tokens) in used


def _past_stars(tokens: list[str], used: set[int]) -> set[int]:
    """``used``, and what more may be used up without a symbol: a star matches nothing, too."""
    more = set(used)
    for at, token in enumerate(tokens):
        if at in more and token == "*":
            more.add(at + 1)
    return more


def _symbols(steps: _Steps) -> Iterator[str | None]:
    for index, step in enumerate(steps):
        if index:
            yield "."
        yield from [None] if step is None else step
