"""What a replay made beside what was made before: the same, changed, new, or missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic_core import from_json

from lineage.uid import bare_stream, entry_order
from supervisor.replay.graph import Node
from supervisor.replay.plan import Plan
from supervisor.replay.process import Failed, Made, Outcome
from supervisor.replay.retained import Retained

MOST_FIELDS = 50
"""How many fields that differ are told of one message."""


class Status(StrEnum):
    """How a message of the replay stands to the one that was made before."""

    SAME = "same"
    CHANGED = "changed"
    NEW = "new"
    MISSING = "missing"
    UNKNOWN = "not compared"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of the payload, or of the entry (``entry.subject``), and both its values.

    Values are those of JSON; None stands for a field that is not there as well as for null.
    """

    path: str
    before: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Compared:
    """A message of the replay, or one that it did not make again.

    ``uid`` is the original's, or for a new one that of the replay; ``made`` is None for one that
    is missing, ``node`` for one that is new.
    """

    uid: str
    worker: str
    status: Status
    fields: tuple[FieldChange, ...] = ()
    made: Made | None = None
    node: Node | None = None

    @property
    def stream(self) -> str:
        """Its stream, without the lane."""
        return bare_stream(self.uid.rpartition("/")[0])[0]


@dataclass(frozen=True, slots=True)
class Report:
    """What a replay found: every message compared, and what could not be replayed."""

    compared: tuple[Compared, ...]
    failed: tuple[Failed, ...]
    lost: tuple[str, ...]
    approximate: tuple[str, ...]
    cut: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all that is tainted was made again."""
        return not (self.failed or self.lost or self.cut)

    def counts(self) -> dict[str, dict[Status, int]]:
        """How many messages of each stream have which status."""
        found: dict[str, dict[Status, int]] = {}
        for each in self.compared:
            row = found.setdefault(each.stream, dict.fromkeys(Status, 0))
            row[each.status] += 1
        return found


def compare(
    plan: Plan,
    outcome: Outcome,
    retained: Retained,
    cut: tuple[str, ...] = (),
) -> Report:
    """Compare what a replay made with the originals, where something still has them.

    Where something could not be handled, what would have been made of it is missing.
    """
    nodes = {node.uid: node for node in plan.expected}
    found = [_compared(made, nodes, retained) for made in outcome.made]
    there = {each.uid for each in found}
    found += [
        Compared(node.uid, node.worker or "", Status.MISSING, node=node)
        for node in plan.expected
        if node.uid not in there
    ]
    found.sort(key=lambda each: entry_order(each.uid))
    return Report(tuple(found), outcome.failed, plan.lost, plan.approximate, cut)


def _compared(made: Made, nodes: Mapping[str, Node], retained: Retained) -> Compared:
    if made.original is None:
        return Compared(made.uid, made.worker, Status.NEW, made=made)
    node, before = nodes[made.original], retained.entry(made.original)
    if before is None:
        return Compared(made.uid, made.worker, Status.UNKNOWN, made=made, node=node)
    changes = tuple(_changes(before.fields, made.fields))
    parents = tuple(sorted(made.parents)), tuple(sorted(node.parents))
    if parents[0] != parents[1]:
        changes = (*changes, FieldChange("entry.parents", list(parents[1]), list(parents[0])))
    status = Status.CHANGED if changes else Status.SAME
    return Compared(made.uid, made.worker, status, changes[:MOST_FIELDS], made, node)


def _changes(before: Sequence[bytes], now: Sequence[bytes]) -> Iterator[FieldChange]:
    old, new = _by_name(before), _by_name(now)
    for name in sorted((old.keys() | new.keys()) - {"parents"}):
        values = old.get(name), new.get(name)
        if values[0] != values[1]:
            if name == "data":
                yield from differences(*map(_json, values))
            else:
                yield FieldChange(f"entry.{name}", *map(_text, values))


def differences(before: Any, now: Any, path: str = "") -> Iterator[FieldChange]:
    """The places at which two JSON values differ.

    >>> [(c.path, c.before, c.now) for c in differences({"a": [1, 2]}, {"a": [1, 3], "b": None})]
    [('a.1', 2, 3), ('b', None, None)]
    """
    if isinstance(before, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*before, *now)):
            if name in before and name in now:
                yield from differences(before[name], now[name], f"{path}.{name}".lstrip("."))
            else:
                yield FieldChange(f"{path}.{name}".lstrip("."), before.get(name), now.get(name))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for at, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from differences(one, other, f"{path}.{at}".lstrip("."))
    elif type(before) is not type(now) or before != now:
        yield FieldChange(path, before, now)


def _by_name(fields: Sequence[bytes]) -> dict[str, bytes]:
    pairs = ((fields[i], fields[i + 1]) for i in range(0, len(fields), 2))
    return {str(_text(name)): value for name, value in pairs}


def _json(data: bytes | None) -> Any:
    try:
        return from_json(data or b"null")
    except ValueError:
        return _text(data)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")
