"""What of the topology each worker depends on, so that a change replaces those it concerns alone.

A worker's part is its own settings, those of every stream that it reads, writes or trims with their
readers, the delivery settings, limits and lanes, and the text of the author's modules that it
imports by name. What such a module imports in turn is not looked at.
"""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.topology import Topology
from schemas.topology_budget import p_value_alpha_of, share_of
from schemas.topology_graph import reads, touched
from schemas.topology_workers import TransformSettings
from streams.trim import trims_of

Part = Mapping[str, str]
"""Each thing that a worker depends on, by name, and how it stands; both are told to people."""

MODULE = "module "
"""How the name of an author's module begins in a part; its text stands there in few signs."""

MINDED_HERE = ("replicas", "max_memory", "stalled_after")
"""Settings that the supervisor minds and no process reads."""

_OF_ALL = ("name", "limits", "delivery", "dead_letters", "lineage")


class Applied(BaseModel):
    """A topology, and what each of its workers depends on; ``only`` are those to run, or all."""

    model_config = ConfigDict(frozen=True)

    topology: Topology
    parts: dict[str, dict[str, str]]
    only: tuple[str, ...] = ()

    @property
    def runs(self) -> list[str]:
        """The workers that run, or would."""
        return [name for name in self.topology.workers if not self.only or name in self.only]

    def as_json(self) -> str:
        """The whole as JSON, which ``model_validate_json`` reads back."""
        return self.model_dump_json(by_alias=True)


def applied(topology: Topology, only: tuple[str, ...] = ()) -> Applied:
    """A topology that was checked; its author's directory is among those that are searched."""
    parts = {worker: dict(part_of(topology, worker)) for worker in topology.workers}
    return Applied(topology=topology, parts=parts, only=only)


def part_of(topology: Topology, worker: str) -> Part:
    """What one worker depends on."""
    settings = topology.workers[worker].model_dump(mode="json", by_alias=True)
    own = {name: value for name, value in settings.items() if name not in MINDED_HERE}
    found = dict(_flat(own))
    for name in _OF_ALL:
        found |= _flat({name: getattr(topology, name)})
    if settings["kind"] in ("drift", "detect"):
        found |= _shares(topology, worker)
    if settings["kind"] == "lineage":
        found |= {f"layer of {n}": str(s.layer) for n, s in topology.streams.items()}
    for plan in trims_of(topology, worker):
        found[f"readers of {plan.stream}"] = " ".join(plan.groups)
    for stream in touched(topology, worker):
        found |= _flat({f"stream {stream}": topology.streams[stream].model_copy(update=_SILENT)})
    for module in _modules(topology, worker):
        found[f"{MODULE}{module}"] = _digest(module)
    return found


def _shares(topology: Topology, worker: str) -> Iterator[tuple[str, str]]:
    """Its part of the budget, which is divided among all workers that look for drift."""
    for stream in reads(topology, worker) if topology.budget else ():
        share = share_of(topology, worker, stream), p_value_alpha_of(topology, worker, stream)
        yield f"share of the budget for {stream}", repr(share)


_SILENT = {"description": ""}


def _modules(topology: Topology, worker: str) -> list[str]:
    settings = topology.workers[worker]
    named = [topology.streams[stream].schema_name for stream in touched(topology, worker)]
    if isinstance(settings, TransformSettings):
        named.append(settings.call)
    return list(dict.fromkeys(name.partition(":")[0] for name in named))


def _digest(module: str) -> str:
    """The text of a module in few signs, found without importing it; empty if it has no file."""
    for file in _files(module):
        if file.is_file():
            return sha256(file.read_bytes()).hexdigest()[:12]
    return ""


def _files(module: str) -> Iterator[Path]:
    """Where a module may stand: only finding one inside of a package would import the package."""
    package, _, inside = module.partition(".")
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:
        return  # it is loaded, and came from no file
    if spec is None:
        return
    if not inside:
        yield Path(spec.origin or "")
        return
    for location in spec.submodule_search_locations or ():
        place = Path(location, *inside.split("."))
        yield from (place.with_name(f"{place.name}.py"), place / "__init__.py")


def _flat(tree: Any, above: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf by its dotted name."""
    if isinstance(tree, BaseModel):
        tree = tree.model_dump(mode="json", by_alias=True)
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from _flat(value, f"{above}.{name}" if above else str(name))
    else:
        yield above, tree if isinstance(tree, str) else json.dumps(tree)
