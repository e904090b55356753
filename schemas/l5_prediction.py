"""Layer 5, predictions: what will come, and what recurs.

Producers publish these on ``L5_IN``; what has been validated flows on ``L5``.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.model import Line, Model, Name, Share, Uid
from schemas.security import SecurityContext


class ForecastPoint(Model):
    """The forecast value at one time ahead, with its prediction interval."""

    ahead_s: float = Field(
        ge=0.0, le=315_576_000.0, description="How far ahead, in seconds (at most ten years)."
    )
    value: float = Field(description="The expected value, in the forecast's unit.")
    lower: float | None = Field(default=None, description="Lower end of the prediction interval.")
    upper: float | None = Field(default=None, description="Upper end of the prediction interval.")


class Forecast(Model):
    """What one quantity of a subject will be over the next while."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["forecast"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    subject: Name = Field(description="The sensor, host or machine that the forecast is about.")
    quantity: Name = Field(description="The quantity forecast, such as `temperature`.")
    unit: Name | None = Field(default=None, description="The quantity's UCUM unit, such as `Cel`.")
    model: Name = Field(description="The model that made the forecast.")
    horizon_s: float = Field(
        gt=0.0,
        le=315_576_000.0,
        description="How far the forecast reaches, in seconds (at most ten years).",
    )
    points: tuple[ForecastPoint, ...] = Field(
        min_length=1, max_length=1024, description="The forecast values, nearest first."
    )
    coverage: Share | None = Field(
        default=None, description="Share of outcomes that the intervals are meant to contain."
    )
    confidence: Share = Field(description="The model's own confidence in the forecast.")
    evidence: tuple[Uid, ...] = Field(
        default=(), max_length=256, description="Uids of the messages that it was made from."
    )


class RecognisedPattern(Model):
    """A pattern that a model recognised in a window of messages."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["recognised_pattern"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    subject: Name = Field(description="The sensor, host or machine that shows the pattern.")
    pattern: Name = Field(description="The pattern's name, such as `beaconing`.")
    model: Name = Field(description="The model that recognised it.")
    confidence: Share = Field(description="The model's own confidence in the match.")
    window_s: float = Field(
        ge=0.0,
        le=315_576_000.0,
        description="Length of the window, in seconds (at most ten years).",
    )
    occurrences: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        default=1, description="How often the pattern occurs in the window."
    )
    summary: Line | None = Field(default=None, description="The pattern in a sentence.")
    evidence: tuple[Uid, ...] = Field(
        max_length=256, description="Uids of the messages that show it."
    )


L5PredictionSchema = Annotated[Forecast | RecognisedPattern, Field(discriminator="kind")]
"""What flows on ``L5``: a forecast or a recognised pattern."""
