"""What every anomaly detector can do."""

from typing import ClassVar, NamedTuple, Protocol

from detectors.state import State
from detectors.values import Floats


class AnomalyDetector(Protocol):
    """Scores each row by what it knows so far, then learns it.

    Higher scores are less usual; all are finite. NaN in ``x`` is a missing
    field, which never raises; values beyond ±1e300 count as ±1e300. Rows are judged in order,
    and any split of them into calls gives the same scores and the same state, bit for bit. The
    memory used is bounded by the settings and the number of fields, however many rows come.

    The constructor takes ``names`` (the columns of ``x``) and the detector's own settings.
    """

    kind: ClassVar[str]
    """The detector's name in settings and events, such as ``half_space_trees``."""

    @property
    def names(self) -> tuple[str, ...]:
        """The fields, in the order of the columns of ``x``."""
        ...

    def score_learn(self, x: Floats) -> Floats:
        """Score and learn ``x`` (float64 [rows, fields]); returns float64 [rows]."""
        ...

    def state(self) -> State:
        """Return everything learnt, as a copy."""
        ...

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit this detector."""
        ...


class Scorer(AnomalyDetector, Protocol):
    """An anomaly detector whose scores mean nothing by themselves: a threshold must be learnt.

    Rows without any field are neither judged nor counted.
    """

    n_learnt: int
    """The number of rows learnt."""

    @property
    def warm_up(self) -> int:
        """The number of rows to learn before the first is judged; their scores are 0."""
        ...

    def judge_learn(self, x: Floats) -> "Scores":
        """Score and learn as :meth:`score_learn` does, with all there is to say."""
        ...


class FieldScores(NamedTuple):
    """What a rule found, field by field.

    ``ratio``: float64 [rows, fields], how much of its limit each value used up (from 1 on it
    broke the rule); 0 for a missing value and for a field whose past is too short.
    ``center``: float64 [rows, fields], the value that was expected; NaN where unknown.
    ``low`` and ``high``: of the same shape, the range expected; None where a rule has none.
    """

    ratio: Floats
    center: Floats
    low: Floats | None = None
    high: Floats | None = None


class Scores(NamedTuple):
    """What a scorer found: float64 [rows], and field by field where it can tell."""

    scores: Floats
    fields: FieldScores | None


def largest(ratio: Floats) -> Floats:
    """Return each row's largest ratio: float64 [rows], 0.0 for rows without fields."""
    scores: Floats = ratio.max(axis=1, initial=0.0)
    return scores


class Rule(AnomalyDetector, Protocol):
    """An anomaly detector that judges field by field; its score is the largest ratio."""

    def fields_learn(self, x: Floats) -> FieldScores:
        """Score and learn as :meth:`score_learn` does, telling the fields apart."""
        ...

    def widen(self, names: tuple[str, ...]) -> None:
        """Add columns on the right for the fields ``names``, which no row had so far."""
        ...
