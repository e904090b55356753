"""What the watching workers found: anomalies and drifts, as entries of their event streams.

Every field but ``explanation`` is a pure function of the stream's entries, so two runs over
the same entries emit the same bytes. Times are those of the entries, never the clock's.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from schemas.model import Line, Model, Name, Share, Uid, Version

Millis = Annotated[int, Field(ge=0, le=2**53)]
"""A time in milliseconds since the epoch."""


class Severity(StrEnum):
    """How much a finding matters, lowest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Status(StrEnum):
    """What an anomaly means for its incident.

    ``open``: it begins. ``update``: it became graver, or its messages reached a power of ten.
    ``ongoing``: one more message, nothing new. ``clear``: it is over.
    """

    OPEN = "open"
    UPDATE = "update"
    ONGOING = "ongoing"
    CLEAR = "clear"


class DriftKind(StrEnum):
    """What changed: the data, a model's predictions, its errors, what is there, or categories."""

    DATA = "data"
    PREDICTION = "prediction"
    CONCEPT = "concept"
    PRESENCE = "presence"
    CATEGORICAL = "categorical"


class FieldValue(Model):
    """One field's part in an anomaly.

    ``deviation`` is the robust z-score of the value, |value - median| / (1.4826 * MAD), over
    the recent past of that field; 0 when the past is too short to tell.
    """

    field: Name = Field(description="Dotted path of the field.")
    value: float = Field(description="Its value in the flagged message.")
    deviation: Annotated[float, Field(ge=0.0, description="Robust z-score of the value.")]


class GuiltyField(Model):
    """One field's part in the score of a flagged message, and what would have been usual.

    ``low`` and ``high``: between them lay the middle 98 % of the field's recent values. None
    where the past is too short to tell.
    """

    field: Name = Field(description="Dotted path of the field.")
    value: float = Field(description="Its value in the flagged message.")
    share: Share = Field(description="Its part in the score.")
    expected: float | None = Field(None, description="The value that the detector expected.")
    low: float | None = Field(None, description="Lower end of the usual range.")
    high: float | None = Field(None, description="Upper end of the usual range.")
    nearest: float | None = Field(None, description="The nearest value that would have been usual.")


class AnomalyEvent(Model):
    """A message that is unlike its past, or the end of an incident (in ``ANOMALY_EVENTS``).

    ``p_value`` is the share of recent scores that were at least as high. Flagged messages of
    the same key and field belong to one ``incident``; its ``status`` says what this one means
    for it. A ``clear`` names the last flagged message and has no ``fields``; its score and severity
    are those of the gravest one, and ``at_ms`` is the time of the entry by which it was over.
    """

    schema_version: Version = "1.0"
    kind: Literal["anomaly"] = "anomaly"
    stream: Name = Field(description="The watched stream, without its lane.")
    key: Name | None = Field(None, description="Value of the stream's key, such as a sensor.")
    detector: Name = Field(description="The detector that found it most severe.")
    message: Uid = Field(description="The flagged message.")
    message_id: Name | None = Field(None, description="The id its producer gave it.")
    at_ms: Millis = Field(description="The flagged entry's time, ms since the epoch.")
    score: float = Field(description="The detector's score; higher is less usual.")
    threshold: float = Field(description="The bound in force when it was judged.")
    p_value: Share = Field(description="Share of recent scores at least as high.")
    severity: Severity = Field(description="From the p-value.")
    fields: Annotated[
        tuple[FieldValue, ...], Field(max_length=16, description="The most deviant fields, first.")
    ]
    guilty: Annotated[
        tuple[GuiltyField, ...],
        Field(max_length=16, description="The fields that did most for the score, first."),
    ] = ()
    incident: Name | None = Field(None, description="Id of the incident that it belongs to.")
    field: Name | None = Field(None, description="The field that the incident is about.")
    status: Status = Field(Status.OPEN, description="What it means for the incident.")
    count: Annotated[
        int, Field(ge=1, le=2**53, description="Flagged messages of the incident so far.")
    ] = 1
    first: Uid | None = Field(None, description="The incident's first flagged message.")
    worst: Severity | None = Field(None, description="The incident's severity so far.")
    explanation: Line = Field(description="One sentence for people.")


class Sample(Model):
    """A sample in a few numbers: size, mean, and the five quantiles 0.05, 0.25, 0.5, 0.75, 0.95."""

    size: Annotated[int, Field(ge=0, le=2**53, description="Number of values.")]
    mean: float = Field(description="Their mean.")
    quantiles: Annotated[
        tuple[float, ...], Field(max_length=5, description="At 0.05, 0.25, 0.5, 0.75, 0.95.")
    ]


class CategoryMove(Model):
    """A category whose share of the values changed."""

    category: Name = Field(description="Its text or code; `others`: all that are not told apart.")
    before: Share = Field(description="Its share of the values before.")
    now: Share = Field(description="Its share of the values after.")


class DriftEvent(Model):
    """A field whose distribution changed (an entry of ``DRIFT_EVENTS``).

    ``value`` is the statistic, ``threshold`` the bound it crossed; ``p_value`` is None for
    tests that have none, ``e_value`` for those that are not sequential. ``effect`` is the shift
    of the mean in baseline standard deviations, ``size`` how large the change is in words. The
    ``baseline`` ends, and the change most likely began, at the message ``since``. Drifts of the
    same key that come soon after one another, of whatever fields, belong to one ``incident``;
    there is no event for its end, since what changed is the new normal.
    """

    schema_version: Version = "1.0"
    kind: Literal["drift"] = "drift"
    stream: Name = Field(description="The watched stream, without its lane.")
    key: Name | None = Field(None, description="Value of the stream's key, such as a sensor.")
    field: Name = Field(description="Dotted path of the field that changed.")
    drift: DriftKind = Field(DriftKind.DATA, description="What kind of drift it is.")
    detector: Name = Field(description="Which detector found it.")
    statistic: Name = Field(description="What it measured.")
    value: float = Field(description="The statistic's value.")
    threshold: float = Field(description="The bound it crossed.")
    p_value: Share | None = Field(None, description="Of the test, where it has one.")
    e_value: Annotated[
        float | None, Field(ge=0.0, description="Factor by which bets against no change grew.")
    ] = None
    effect: float = Field(description="Shift of the mean in baseline standard deviations.")
    size: Name | None = Field(None, description="How large the change is, such as `medium`.")
    began_ago: Annotated[
        int | None,
        Field(ge=1, le=2**53, description="Values since it most likely began, this one included."),
    ] = None
    since: Uid | None = Field(
        None, description="The message at which it most likely began, where that is not too old."
    )
    message: Uid = Field(description="The message that made it evident.")
    at_ms: Millis = Field(description="That entry's time, ms since the epoch.")
    baseline: Sample = Field(description="The sample before.")
    current: Sample = Field(description="The sample after.")
    categories: Annotated[
        tuple[CategoryMove, ...],
        Field(max_length=5, description="Of categories, those that moved, the leading one first."),
    ] = ()
    severity: Severity = Field(description="From the size of the effect.")
    incident: Name | None = Field(None, description="Id of the incident that it belongs to.")
    status: Status = Field(Status.OPEN, description="What it means for the incident.")
    count: Annotated[int, Field(ge=1, le=2**53, description="Drifts of the incident so far.")] = 1
    first: Uid | None = Field(None, description="The message at which the incident began.")
    worst: Severity | None = Field(None, description="The incident's severity so far.")
    explanation: Line = Field(description="One sentence for people.")
