"""The verdict on a run: figures from events and labels. Pure: no server, no clock."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from supervisor.demo.data import Shift


@dataclass(frozen=True, slots=True)
class Flag:
    """An anomaly event: the reading that it flags, and how grave it is."""

    sensor: str
    number: int
    severity: str


@dataclass(frozen=True, slots=True)
class Change:
    """A drift event: the reading that made it evident, the field, and who says so."""

    stream: str
    key: str | None
    field: str
    detector: str
    severity: str
    effect: float
    sensor: str
    number: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How flags agree with labels.

    ``precision`` is the share of the flagged readings that are anomalous, ``recall`` the share of
    the anomalous that are flagged; None where there is nothing to divide by. ``ceiling`` is the
    highest recall that is possible when no more than ``share`` of the readings are flagged.
    """

    flagged: int
    hits: int
    anomalous: int
    readings: int
    share: float | None = None

    @property
    def precision(self) -> float | None:
        """Hits among the flagged."""
        return self.hits / self.flagged if self.flagged else None

    @property
    def recall(self) -> float | None:
        """Hits among the anomalous."""
        return self.hits / self.anomalous if self.anomalous else None

    @property
    def ceiling(self) -> float | None:
        """The most that recall can be."""
        if self.share is None or not self.anomalous:
            return None
        return min(1.0, self.share * self.readings / self.anomalous)


def accuracy(
    flags: Iterable[Flag], sensor: str, labels: Sequence[bool], share: float | None = None
) -> Accuracy:
    """Compare the flags of one sensor with its labels; a reading flagged twice counts once.

    >>> flags = [Flag("a", 1, "low"), Flag("a", 2, "high"), Flag("b", 0, "low")]
    >>> found = accuracy(flags, "a", [False, True, False, True])
    >>> found.precision, found.recall
    (0.5, 0.5)
    """
    flagged = {flag.number for flag in flags if flag.sensor == sensor}
    hits = sum(labels[number] for number in flagged if number < len(labels))
    return Accuracy(len(flagged), hits, sum(labels), len(labels), share)


def by_severity(flags: Iterable[Flag]) -> Counter[str]:
    """Events by severity."""
    return Counter(flag.severity for flag in flags)


@dataclass(frozen=True, slots=True)
class DriftVerdict:
    """Whether the injected shift was found, by which event, and what else was reported.

    ``first`` is the number of the first shifted reading; ``others`` are all events but ``found``.
    """

    first: int
    found: Change | None
    others: tuple[Change, ...] = field(default=())

    @property
    def delay(self) -> int | None:
        """Readings of the sensor between the shift and the event."""
        return None if self.found is None else self.found.number - self.first


def judge_drift(changes: Collection[Change], shift: Shift, readings: int) -> DriftVerdict:
    """Find the injected shift among drift events: the first of its field behind its beginning."""
    first = shift.first(readings)
    hits = [change for change in changes if _is_hit(change, shift, first)]
    found = min(hits, key=lambda change: change.number, default=None)
    return DriftVerdict(first, found, tuple(change for change in changes if change is not found))


def _is_hit(change: Change, shift: Shift, first: int) -> bool:
    its_field = change.field == shift.field or change.field.endswith(f".{shift.field}")
    return change.sensor == shift.sensor and its_field and change.number >= first


@dataclass(frozen=True, slots=True)
class Account:
    """What went in, by the confirmations of publishing, and what became of it, by the counters.

    The two come from independent sources. ``others`` counts entries of the source that this run
    did not publish; ``duplicates`` and ``dead`` should be 0.
    """

    published: int
    valid: int
    rejected: int
    duplicates: int = 0
    dead: int = 0
    others: int = 0

    @property
    def balanced(self) -> bool:
        """Whether all that went in is valid or rejected, nothing lost and nothing twice."""
        return self.published == self.valid + self.rejected
