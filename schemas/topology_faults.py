"""What Pydantic found wrong with a topology file, in words that say what to write instead."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError

from schemas.topology import Topology
from schemas.topology_graph import Path, Problem, did_you_mean
from schemas.topology_workers import Dotted, StreamName, WorkerName

_KINDS = ("gate", "anomaly", "drift", "detect", "transform", "lineage")
_NAME_OF_FUNCTION_OR_SCHEMA = get_args(Dotted)[1].pattern
_NAMES = {
    get_args(StreamName)[1].pattern: "a stream's name has only letters, digits, '_', '.' and '-', "
    "begins with a letter or '_', and has at most 100 characters",
    get_args(WorkerName)[1].pattern: "this name has only lower-case letters, digits, '_' and '-', "
    "begins with a letter, and has at most 63 characters",
}
_SHORT_FOR = {
    ("Retention", str): "age",
    ("Retention", int): "entries",
    ("Watched", list): "fields",
    ("DriftWatched", list): "fields",
}
"""Under which key of a map stands what somebody wrote instead of the map."""


def faults(error: ValidationError) -> Iterator[Problem]:
    """Each fault that Pydantic found, but for what only follows from another one."""
    found = error.errors(include_url=False)
    places = [tuple(fault["loc"]) for fault in found]
    for fault, place in zip(found, places, strict=True):
        if fault["type"] != "too_short" or not _has_inside(place, places):
            yield _problem(fault)


def _has_inside(place: Path, places: Sequence[Path]) -> bool:
    """Whether another fault is in what a list or map holds: what is wrong does not count there."""
    return any(len(each) > len(place) and each[: len(place)] == place for each in places)


def _problem(fault: Mapping[str, Any]) -> Problem:
    path = _as_written(tuple(fault["loc"]))
    where = ".".join(str(part) for part in path)
    key = str(path[-1]) if path else ""
    match fault["type"]:
        case "extra_forbidden":
            text = f"unknown key {key!r}{did_you_mean(key, _known_keys())}"
        case "missing":
            text = f"the key {key!r} is missing"
        case "union_tag_not_found":
            text = "the key 'kind' is missing; it says which worker this is"
        case "union_tag_invalid":
            text, path = _unknown_kind(fault["ctx"]), (*path, "kind")
        case "string_pattern_mismatch":
            text = _other_name(str(fault["input"]), str(fault["ctx"]["pattern"]))
        case "model_type":
            text = _no_map(fault["input"], fault["ctx"]["class_name"])
        case _:
            text = f"{fault['msg'][0].lower()}{fault['msg'][1:]}"
    return Problem(path, f"{where!r}: {text}")


def _unknown_kind(context: Mapping[str, Any]) -> str:
    kinds = [kind.strip("' ") for kind in context["expected_tags"].split(",")]
    near = did_you_mean(str(context["tag"]), kinds)
    return f"no kind {context['tag']!r}; there are {', '.join(kinds)}{near}"


def _other_name(given: str, pattern: str) -> str:
    if pattern != _NAME_OF_FUNCTION_OR_SCHEMA:
        return f"{given!r} cannot be used: {_NAMES.get(pattern, f'it has to match {pattern!r}')}"
    module, _, name = given.rpartition(".")
    if module and ":" not in given:
        return f"{given!r} names no module; did you mean '{module}:{name}'?"
    return f"{given!r} is not written as 'package.module:name'"


def _no_map(given: object, model: str) -> str:
    keys = ", ".join(_definition(model).get("properties", ()))
    words = f"[{', '.join(map(str, given))}]" if isinstance(given, list) else str(given)
    short = _short_for(given, model)
    meant = f"did you mean {{{short}: {words}}}? " if short else ""
    return f"{words} is no map; {meant}its keys are {keys}"


def _short_for(given: object, model: str) -> str:
    plain = not isinstance(given, bool)  # YAML's true is a number to Python
    kinds = ((kind, key) for (name, kind), key in _SHORT_FOR.items() if name == model and plain)
    return next((key for kind, key in kinds if isinstance(given, kind)), "")


def _as_written(path: Path) -> Path:
    """The path as it stands in the file: Pydantic puts in a worker's kind, and what is a key."""
    if path[:1] == ("workers",) and path[2:3] and path[2] in _KINDS:
        path = (*path[:2], *path[3:])
    return path[:-1] if path[-1:] == ("[key]",) else path


def _definition(model: str) -> dict[str, Any]:
    found: dict[str, Any] = Topology.model_json_schema(by_alias=True)["$defs"].get(model, {})
    return found


def _known_keys() -> list[str]:
    document = Topology.model_json_schema(by_alias=True)
    parts = [document, *document["$defs"].values()]
    return sorted({key for part in parts for key in part.get("properties", ())})
