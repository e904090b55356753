"""What a picture of a trace shows, whatever it is drawn with: nodes, links, what is left out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lineage.crowds import WIDE, parts_of
from lineage.trace import Step, Trace

MOST_NODES = 60
"""How many nodes a picture has at most; it keeps those nearest to the message asked for."""


@dataclass(frozen=True, slots=True)
class Node:
    """A message, or ``count`` that play the same part, of which ``step`` is the first.

    ``producers`` is how many of them named themselves; one that did not counts as one.
    """

    step: Step
    count: int = 1
    producers: int = 1
    asked_for: bool = False

    @property
    def role(self) -> str:
        """What it is: ``producer``, ``gate``, ``worker`` or ``finding`` (it flags others)."""
        if self.step.worker is None:
            return "producer"
        if self.step.worker_kind in ("anomaly", "drift", "detect"):
            return "finding"
        return "gate" if self.step.worker_kind == "gate" else "worker"

    def words(self) -> Iterator[str]:
        """The lines that stand in it, the most important first."""
        step = self.step
        entry = step.uid.rpartition("/")[2]
        yield f"{step.stream} × {self.count}" if self.count > 1 else step.stream
        yield f"from {entry} on" if self.count > 1 else entry
        yield _maker(step, self.producers)
        yield " · ".join(word for word in (step.tenant, step.classification) if word)

    def flags(self) -> str:
        """The kinds of the findings about it, with the severity where it has one."""
        found = [
            f"{each.kind.replace('_', ' ')} {each.severity or ''}" for each in self.step.findings
        ]
        return ", ".join(word.strip() for word in dict.fromkeys(found))

    def places(self) -> str:
        """What took its place after a replay, or whose place it took."""
        told = {"superseded by": self.step.superseded_by, "supersedes": self.step.supersedes}
        return ", ".join(f"{what} {_first_of(uids)}" for what, uids in told.items() if uids)

    def marks(self) -> str:
        """All that sets it apart, on one line: what was found about it, and its place."""
        return " · ".join(words for words in (self.flags(), self.places()) if words)


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes from the sources on, and links (parent, child) as places among them.

    ``left_out`` messages have no node; ``truncated`` says that the trace itself was cut.
    ``replaced`` are the pairs (newer, older) of which one took the other's place.
    """

    uid: str
    direction: str
    nodes: tuple[Node, ...]
    links: tuple[tuple[int, int], ...]
    left_out: int = 0
    truncated: bool = False
    replaced: tuple[tuple[int, int], ...] = ()

    @property
    def title(self) -> str:
        """What is to be seen, in a few words."""
        return (
            f"What {self.uid} was made from"
            if self.direction == "up"
            else (f"What was made from {self.uid}")
        )

    @property
    def cut(self) -> str:
        """What is missing, as a sentence; empty where nothing is."""
        if self.left_out:
            return f"{self.left_out} messages farther away are not shown."
        return "There is more than is shown." if self.truncated else ""


def picture_of(trace: Trace, most: int = MOST_NODES) -> Picture:
    """Turn a trace into a picture of at most ``most`` nodes; a crowd is one node."""
    groups: dict[object, list[Step]] = {}
    keys = _keys(trace)
    for step in trace.steps:
        groups.setdefault(keys[step.uid], []).append(step)
    near = sorted(groups, key=lambda key: min(step.hops for step in groups[key]))[:most]
    kept = [key for key in groups if key in set(near)]
    place = {key: number for number, key in enumerate(kept)}
    nodes = [_node(groups[key], trace) for key in kept]
    return Picture(
        uid=trace.uid,
        direction=trace.direction,
        nodes=tuple(nodes),
        links=tuple(sorted(_links(trace, keys, place))),
        left_out=len(trace.steps) - sum(node.count for node in nodes),
        truncated=trace.truncated,
        replaced=tuple(sorted(_replaced(trace, keys, place))),
    )


def _keys(trace: Trace) -> dict[str, object]:
    """What each message is shown as: itself, or its crowd."""
    parts = parts_of(trace)
    sizes: dict[int, int] = {}
    for part in parts.values():
        sizes[part] = sizes.get(part, 0) + 1
    return {uid: part if sizes[part] > WIDE else uid for uid, part in parts.items()}


def _links(
    trace: Trace, keys: Mapping[str, object], place: Mapping[object, int]
) -> set[tuple[int, int]]:
    ends = ((keys[parent], keys[step.uid]) for step in trace.steps for parent in step.parents)
    return {
        (place[parent], place[child])
        for parent, child in ends
        if parent in place and child in place and parent != child
    }


def _replaced(
    trace: Trace, keys: Mapping[str, object], place: Mapping[object, int]
) -> set[tuple[int, int]]:
    pairs = ((step.uid, older) for step in trace.steps for older in step.supersedes)
    ends = ((keys[newer], keys[older]) for newer, older in pairs if older in keys)
    return {(place[a], place[b]) for a, b in ends if a in place and b in place}


def _first_of(uids: Sequence[str]) -> str:
    return uids[0] if len(uids) == 1 else f"{uids[0]} and {len(uids) - 1} more"


def _node(steps: Sequence[Step], trace: Trace) -> Node:
    return Node(
        step=steps[0],
        count=len(steps),
        producers=len({step.source for step in steps}),
        asked_for=any(step.uid == trace.uid for step in steps),
    )


def _maker(step: Step, producers: int) -> str:
    if step.worker is None and producers > 1:
        return f"published by {producers} producers"
    if step.worker is None:
        return f"published by {step.source}" if step.source else "no record of what made it"
    name = (step.schema_name or "").rpartition(":")[2]  # without its module: there is little room
    schema = f" · {name}@{step.schema_version}" if name else ""
    return f"{step.worker} {step.worker_version}{schema}"
