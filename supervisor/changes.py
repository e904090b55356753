"""What a changed topology file would do to the workers that run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schemas.topology import Topology
from supervisor.errors import ReloadRefused
from supervisor.parts import MINDED_HERE, Applied

_ABSENT = "none"
_DIGEST = "module "
_UNITS = {"max_memory": " bytes", "stalled_after": " s"}


class Deed(StrEnum):
    """What happens to a worker.

    ``replaced``: each of its processes, by a new one that is ready before the old one drains.
    ``added``, ``removed``: started, or drained for good. ``scaled``: it gets more or fewer
    processes. ``adjusted``: only the supervisor minds what changed.
    """

    REPLACED = "replaced"
    ADDED = "added"
    REMOVED = "removed"
    SCALED = "scaled"
    ADJUSTED = "adjusted"


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one worker, and each thing that changed, in words."""

    worker: str
    deed: Deed
    what: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Change":
        """The change that ``dataclasses.asdict`` made JSON of."""
        return cls(told["worker"], Deed(told["deed"]), tuple(told["what"]))


@dataclass(frozen=True, slots=True)
class Dropped:
    """A stream that the new file does not name; ``what``: what it still holds, in words.

    Its keys stay on the server as they are: no worker reads, trims or removes them.
    """

    stream: str
    deed: str = "dropped"
    what: tuple[str, ...] = ()


def changes(old: Applied, new: Applied) -> list[Change]:
    """Every change to the workers that run, in the order in which they are applied.

    Replaced before added: who trims a stream has to know of a new reader before that one begins.

    Raises ReloadRefused where the number of lanes differs.
    """
    if old.topology.lanes != new.topology.lanes:
        raise ReloadRefused(
            f"'lanes' cannot change from {old.topology.lanes} to {new.topology.lanes} while "
            "workers run; see docs/scaling.md, then 'penstock down' and 'penstock up'"
        )
    found = [change for name in new.runs for change in _of_worker(old, new, name)]
    found += [Change(w, Deed.REMOVED) for w in old.runs if w not in new.topology.workers]
    return sorted(found, key=lambda change: list(Deed).index(change.deed))


def _of_worker(old: Applied, new: Applied, worker: str) -> Iterator[Change]:
    if worker not in old.parts:
        yield Change(worker, Deed.ADDED)
        return
    replaced = tuple(_differing(old.parts[worker], new.parts[worker]))
    if replaced:
        yield Change(worker, Deed.REPLACED, replaced)
    before, after = _minded(old.topology, worker), _minded(new.topology, worker)
    for what in _differing(before, after):
        yield Change(worker, Deed.SCALED if what.startswith("replicas") else Deed.ADJUSTED, (what,))


def _minded(topology: Topology, worker: str) -> dict[str, str]:
    settings = topology.workers[worker].model_dump(mode="json")
    return {name: _shown(name, settings[name]) for name in MINDED_HERE}


def _shown(name: str, value: Any) -> str:
    if value is None:
        return _ABSENT
    return f"{value}{_UNITS.get(name, '')}"


def _differing(old: dict[str, str], new: dict[str, str]) -> Iterator[str]:
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name, _ABSENT), new.get(name, _ABSENT)
        if before != after:
            yield (
                f"{name} has another text"
                if name.startswith(_DIGEST)
                else (f"{name}: {before} -> {after}")
            )
