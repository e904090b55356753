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
from schemas.topology_faults import faults
from schemas.topology_graph import Path as KeyPath
from schemas.topology_graph import Problem, graph_problems
from schemas.topology_schemas import broken_schemas, problems

DEFAULT_FILE = "streams.yaml"


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

        Raises TopologyError with whatever ``topology_schemas.problems`` finds.
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
        told = list(_each_module_once(found))
        if told:
            raise TopologyError([_said(self.path, self.tree, problem) for problem in told])
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
        raise TopologyError([_said(named, tree, problem) for problem in faults(error)]) from error
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


def _each_module_once(found: Iterable[Problem]) -> Iterator[Problem]:
    """A module that cannot be imported is told of where it is named first."""
    told: set[str] = set()
    for problem in found:
        if not problem.module or problem.module not in told:
            yield problem
        told.add(problem.module)


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
