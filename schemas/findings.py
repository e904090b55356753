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


class FieldValue(Model):
    """One field's part in an anomaly.

    ``deviation`` is the robust z-score of the value, |value - median| / (1.4826 * MAD), over
    the recent past of that field; 0 when the past is too short to tell.
    """

    field: Name = Field(description="Dotted path of the field.")
    value: float = Field(description="Its value in the flagged message.")
    deviation: Annotated[float, Field(ge=0.0, description="Robust z-score of the value.")]


class AnomalyEvent(Model):
    """A message that is unlike its past (an entry of ``ANOMALY_EVENTS``).

    ``p_value`` is the share of recent scores that were at least as high. ``at_ms`` is the
    flagged entry's time in milliseconds since the epoch.
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
    explanation: Line = Field(description="One sentence for people.")


class Sample(Model):
    """A sample in a few numbers: size, mean, and the five quantiles 0.05, 0.25, 0.5, 0.75, 0.95."""

    size: Annotated[int, Field(ge=0, le=2**53, description="Number of values.")]
    mean: float = Field(description="Their mean.")
    quantiles: Annotated[
        tuple[float, ...], Field(max_length=5, description="At 0.05, 0.25, 0.5, 0.75, 0.95.")
    ]


class DriftEvent(Model):
    """A field whose distribution changed (an entry of ``DRIFT_EVENTS``).

    ``value`` is the statistic, ``threshold`` the bound it crossed; ``p_value`` is None for
    tests that have none, ``e_value`` for those that are not sequential. ``effect`` is the shift
    of the mean in baseline standard deviations, ``size`` how large the change is in words.
    """

    schema_version: Version = "1.0"
    kind: Literal["drift"] = "drift"
    stream: Name = Field(description="The watched stream, without its lane.")
    key: Name | None = Field(None, description="Value of the stream's key, such as a sensor.")
    field: Name = Field(description="Dotted path of the field that changed.")
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
    message: Uid = Field(description="The message that made it evident.")
    at_ms: Millis = Field(description="That entry's time, ms since the epoch.")
    baseline: Sample = Field(description="The sample before.")
    current: Sample = Field(description="The sample after.")
    severity: Severity = Field(description="From the size of the effect.")
    explanation: Line = Field(description="One sentence for people.")
