"""What Neo4j gives back, as values that JSON has: nodes and edges become objects."""

from collections.abc import Mapping
from typing import Any

from neo4j.graph import Node, Path, Relationship


def plain(value: Any) -> Any:
    """Turn a value of a record into texts, numbers, lists and objects.

    A node is an object of its properties and ``_labels``, an edge one of its properties and
    ``_type``, a path a list of both in turn. Dates, points and bytes become text.
    """
    match value:
        case Node():
            return {"_labels": sorted(value.labels), **plain(dict(value))}
        case Relationship():
            return {"_type": value.type, **plain(dict(value))}
        case Path():
            return [plain(part) for part in _in_turn(value)]
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _in_turn(path: Path) -> list[Any]:
    parts: list[Any] = [path.nodes[0]]
    for edge, node in zip(path.relationships, path.nodes[1:], strict=True):
        parts += [edge, node]
    return parts
