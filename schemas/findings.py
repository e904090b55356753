"""What the watching workers found: anomalies and drifts, as entries of their event streams.

Every field but ``explanation`` is a pure function of the stream's entries, so two runs over
the same entries emit the same bytes. Times are those of the entries, never the clock's.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from schemas.model import Line, Model, Name, Share, Uid, Version


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

    field: Name
    value: float
    deviation: Annotated[float, Field(ge=0.0)]


class AnomalyEvent(Model):
    """A message that is unlike its past (an entry of ``ANOMALY_EVENTS``).

    ``p_value`` is the share of recent scores that were at least as high. ``at_ms`` is the
    flagged entry's time in milliseconds since the epoch.
    """

    schema_version: Version = "1.0"
    kind: Literal["anomaly"] = "anomaly"
    stream: Name
    key: Name | None = None
    detector: Name
    message: Uid
    message_id: Name | None = None
    at_ms: Annotated[int, Field(ge=0)]
    score: float
    threshold: float
    p_value: Share
    severity: Severity
    fields: Annotated[tuple[FieldValue, ...], Field(max_length=16)]
    explanation: Line


class Sample(Model):
    """A sample in a few numbers: size, mean, and the five quantiles 0.05, 0.25, 0.5, 0.75, 0.95."""

    size: Annotated[int, Field(ge=0)]
    mean: float
    quantiles: Annotated[tuple[float, ...], Field(max_length=5)]


class DriftEvent(Model):
    """A field whose distribution changed (an entry of ``DRIFT_EVENTS``).

    ``value`` is the statistic, ``threshold`` the bound it crossed; ``p_value`` is None for
    tests that have none. ``effect`` is the shift of the mean in baseline standard deviations.
    """

    schema_version: Version = "1.0"
    kind: Literal["drift"] = "drift"
    stream: Name
    key: Name | None = None
    field: Name
    detector: Name
    statistic: Name
    value: float
    threshold: float
    p_value: Share | None = None
    effect: float
    message: Uid
    at_ms: Annotated[int, Field(ge=0)]
    baseline: Sample
    current: Sample
    severity: Severity
    explanation: Line
