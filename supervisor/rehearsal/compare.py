"""What another topology would do otherwise, by worker, and by rule or sort of event."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from supervisor.rehearsal.process import Finding, Played

OUTCOMES = ("accepted", "rejected", "dead", "duplicate")
"""What becomes of a message at a worker."""


@dataclass(frozen=True, slots=True)
class Change:
    """Findings of one sort, before and now; ``more`` and ``fewer`` are the messages concerned.

    A message stands in both lists of uids as often as its findings of this sort differ.
    """

    worker: str
    what: str
    stream: str
    about: tuple[str, ...]
    before: int
    now: int
    more: tuple[str, ...]
    fewer: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether there is any difference."""
        return bool(self.more or self.fewer)


@dataclass(frozen=True, slots=True)
class Flow:
    """How many messages of a worker had an outcome, or were emitted to a stream (``to X``)."""

    worker: str
    what: str
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Report:
    """The whole comparison. ``messages`` counts those that were rehearsed and count.

    ``more`` and ``fewer`` have, by what is found, how many messages (of events: events) are new
    and gone; a message whose rejection has another reason now is neither.
    """

    messages: int
    flows: tuple[Flow, ...]
    changes: tuple[Change, ...]
    more: Mapping[str, int] = field(default_factory=dict)
    fewer: Mapping[str, int] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether all is as it was: findings, outcomes, and how much is emitted where."""
        moved = any(flow.before != flow.now for flow in self.flows)
        return not moved and not any(change.differs for change in self.changes)

    def total(self, what: str) -> tuple[int, int]:
        """How many findings there were, and are."""
        mine = [change for change in self.changes if change.what == what]
        return sum(each.before for each in mine), sum(each.now for each in mine)


def compare(before: Played, now: Played, messages: int) -> Report:
    """Compare what two topologies made of the same messages."""
    sorts = _by_sort(before.findings), _by_sort(now.findings)
    keys = sorted(set(sorts[0]) | set(sorts[1]), key=_place)
    sides = {what: _sides(what, before, now) for what in ("rejected", "dead", "event")}
    return Report(
        messages=messages,
        flows=tuple(_flows(before, now)),
        changes=tuple(_change(key, sorts[0].get(key, []), sorts[1].get(key, [])) for key in keys),
        more={what: (new - old).total() for what, (old, new) in sides.items()},
        fewer={what: (old - new).total() for what, (old, new) in sides.items()},
    )


def _place(key: Finding) -> tuple[str, str, str, tuple[str, ...]]:
    return key.worker, key.what, key.stream, key.about


def _by_sort(findings: Iterable[Finding]) -> dict[Finding, list[str]]:
    found: dict[Finding, list[str]] = defaultdict(list)
    for each in findings:
        found[each._replace(uid="")].append(each.uid)
    return found


def _change(key: Finding, before: Sequence[str], now: Sequence[str]) -> Change:
    old, new = Counter(before), Counter(now)
    more, fewer = tuple((new - old).elements()), tuple((old - new).elements())
    return Change(key.worker, key.what, key.stream, key.about, len(before), len(now), more, fewer)


def _sides(what: str, *both: Played) -> tuple[Counter[Finding], Counter[Finding]]:
    """The findings of either run; of a rejection or a dead letter the reason does not matter."""
    counters = []
    for played in both:
        mine = (each for each in played.findings if each.what == what)
        counters.append(
            Counter(each if what == "event" else each._replace(about=()) for each in mine)
        )
    return counters[0], counters[1]


def _flows(before: Played, now: Played) -> Iterable[Flow]:
    counted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for side, played in enumerate((before, now)):
        for (worker, _, what), number in played.tally.items():
            counted[worker, what][side] += number
    for (worker, what), (old, new) in counted.items():
        yield Flow(worker, what, old, new)
