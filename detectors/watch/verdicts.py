"""What the watches found, and what every watch can do."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from detectors.drift.contract import Detection
from detectors.state import State
from detectors.values import Floats
from schemas.findings import FieldValue, Severity


@dataclass(frozen=True)
class Guilt:
    """One field's part in a verdict, and what would have been usual.

    ``share``: of the blame, in (0, 1]; the shares of a verdict add up to at most 1.
    ``expected``: the value that the detector expected. ``low`` and ``high``: between them lay
    the middle 98 % of the field's recent values. ``nearest``: the nearest value that would
    have been usual: the nearer end of that range or, for a value inside it, the value expected.
    None where the past is too short to tell.
    """

    field: str
    value: float
    share: float
    expected: float | None
    low: float | None
    high: float | None
    nearest: float | None


@dataclass(frozen=True)
class AnomalyVerdict:
    """A row that was flagged: all that an ``AnomalyEvent`` says beside where the row came from.

    ``row``: its index in the call. ``detector``: the one that found it most severe.
    ``threshold``: the bound in force for ``score``. ``p_value``: the share of that detector's
    recent scores that were at least as high, in (0, 1]. ``fields``: at most five, the most
    deviant first. ``guilty``: at most five, the one that did most for the score first.
    """

    row: int
    detector: str
    score: float
    threshold: float
    p_value: float
    severity: Severity
    fields: tuple[FieldValue, ...]
    explanation: str
    guilty: tuple[Guilt, ...] = ()


@dataclass(frozen=True)
class DriftVerdict:
    """A field that changed: all that a ``DriftEvent`` says beside where the row came from.

    ``field``: the column; ``texts.path_of`` gives the path of one of texts.
    """

    row: int
    field: str
    detector: str
    detection: Detection
    severity: Severity
    explanation: str


V = TypeVar("V", AnomalyVerdict, DriftVerdict)
"""Either kind of verdict."""


class Watch(Protocol[V]):
    """Judges rows in order; any split of them into calls gives the same verdicts and state.

    Which columns a call has does not matter: a column without a number is as good as absent.
    """

    def observe(self, names: tuple[str, ...], x: Floats) -> list[V]:
        """Judge and learn ``x`` (float64 [rows, names], NaN for missing), by ascending row."""
        ...

    def state(self) -> State:
        """Return everything learnt, as a copy."""
        ...

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit these settings."""
        ...


class TimedWatch(Watch[V], Protocol[V]):
    """A watch that also takes the time of each row."""

    def observe(self, names: tuple[str, ...], x: Floats, at_s: Floats | None = None) -> list[V]:
        """Judge and learn as a watch does; ``at_s`` (float64 [rows]) are times in seconds."""
        ...
