"""Reads ``streams.yaml`` into a ``Topology``; every error names file, line, fault and fix."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError

from schemas.topology import Topology
from schemas.topology_graph import Path as KeyPath
from schemas.topology_graph import Problem, broken_schemas, did_you_mean, graph_problems, problems

DEFAULT_FILE = "streams.yaml"
_KINDS = ("gate", "anomaly", "drift", "detect", "transform", "lineage")


class TopologyError(ValueError):
    """The file cannot be used. ``problems`` are whole sentences, each with its file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class TopologyFile:
    """A file whose keys are in order; whether what they name exists is not known yet.

    ``text`` is the whole of it as it was read.
    """

    path: Path
    text: str
    tree: Any
    topology: Topology

    def checked(self, also: Callable[[Topology], Iterable[Problem]] = lambda _: ()) -> Topology:
        """Import what the topology names, and check it as a graph; ``also`` finds further problems.

        Raises TopologyError with whatever ``topology_graph.problems`` finds.
        """
        return self._unless([*problems(self.topology), *also(self.topology)])

    def checked_for(
        self,
        workers: Collection[str] | None = None,
        also: Callable[[Topology], Iterable[Problem]] = lambda _: (),
    ) -> Topology:
        """Check the graph, and import only what some workers need: one that is broken is theirs.

        Without ``workers``, before any is started: a module that cannot be imported is left to
        those that need it.

        Raises TopologyError.
        """
        schemas = broken_schemas(self.topology, workers)
        return self._unless([*schemas, *graph_problems(self.topology), *also(self.topology)])

    def outline(self) -> Topology:
        """Check the graph alone, and import nothing that the topology names.

        Raises TopologyError with whatever ``topology_graph.graph_problems`` finds.
        """
        return self._unless(graph_problems(self.topology))

    def _unless(self, found: list[Problem]) -> Topology:
        if found:
            raise TopologyError([_said(self.path, self.tree, problem) for problem in found])
        return self.topology


def load_topology(
    path: Path, also: Callable[[Topology], Iterable[Problem]] = lambda _: ()
) -> Topology:
    """Read, validate and check a topology file; ``also`` may find further problems.

    Raises TopologyError with every problem found, those of ``read_topology`` first.
    """
    return read_topology(path).checked(also)


def read_topology(path: Path, *, named: Path | None = None) -> TopologyFile:
    """Read a topology file, and import nothing that it names.

    ``named`` is the file that errors name, where ``path`` is a copy of it.

    Raises TopologyError for an unreadable file, a YAML fault, and each key that is unknown or of
    the wrong type.
    """
    named = named or path
    text = _text(path, named)
    tree = _parse(text, named)
    try:
        topology = Topology.model_validate(_plain(tree))
    except ValidationError as error:
        raise TopologyError(
            [_said(named, tree, problem) for problem in _validation_problems(error)]
        ) from error
    return TopologyFile(named, text, tree, topology)


def _text(copy: Path, path: Path) -> str:
    try:
        return copy.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise TopologyError(
            [f"there is no topology file {str(path)!r}; write one, or name it with --config"]
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise TopologyError([f"the topology file {str(path)!r} cannot be read: {error}"]) from error


def _parse(text: str, path: Path) -> Any:
    try:
        tree = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        key = str(error.problem).split('"')[1]
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TopologyError(
            [f"the name {key!r} is used twice in one place; rename one of the two ({path}:{line})"]
        ) from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TopologyError([f"this is no YAML: {error.problem} ({path}:{line})"]) from error
    if not isinstance(tree, dict):
        raise TopologyError([f"the file must be a map with 'streams' and 'workers' ({path}:1)"])
    return tree


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return node


def _said(path: Path, tree: Any, problem: Problem) -> str:
    return f"{problem.text} ({path}:{_line(tree, problem.path)})"


def _line(tree: Any, path: KeyPath) -> int:
    """The line of the deepest key of ``path`` that stands in the file, counted from 1."""
    node, line = tree, 1
    for key in path:
        if isinstance(node, dict) and key in node:
            line = node.lc.key(key)[0] + 1  # type: ignore[attr-defined]
        elif isinstance(node, list) and isinstance(key, int) and key < len(node):
            line = node.lc.item(key)[0] + 1  # type: ignore[attr-defined]
        else:
            continue  # pydantic puts a union's tag into the path; it stands nowhere in the file
        node = node[key]
    return line


def _validation_problems(error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False):
        path = _without_tag(tuple(fault["loc"]))
        where = ".".join(str(part) for part in path)
        key = str(path[-1]) if path else ""
        match fault["type"]:
            case "extra_forbidden":
                text = f"{where!r}: unknown key {key!r}{did_you_mean(key, _known_keys())}"
            case "missing":
                text = f"{where!r}: the key {key!r} is missing"
            case "union_tag_not_found":
                text = f"{where!r}: the key 'kind' is missing; it says which worker this is"
            case "union_tag_invalid":
                context, path = fault["ctx"], (*path, "kind")
                kinds = [kind.strip("' ") for kind in context["expected_tags"].split(",")]
                near = did_you_mean(str(context["tag"]), kinds)
                text = f"{where!r}: no kind {context['tag']!r}; there are {', '.join(kinds)}{near}"
            case _:
                text = f"{where!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
        yield Problem(path, text)


def _without_tag(path: KeyPath) -> KeyPath:
    """The path as it stands in the file: Pydantic puts a worker's kind between its keys."""
    if path[:1] == ("workers",) and path[2:3] and path[2] in _KINDS:
        return (*path[:2], *path[3:])
    return path


def _known_keys() -> list[str]:
    document = Topology.model_json_schema(by_alias=True)
    parts = [document, *document["$defs"].values()]
    return sorted({key for part in parts for key in part.get("properties", ())})
