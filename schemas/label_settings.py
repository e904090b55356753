"""The settings of how predictions and their labels are joined and judged."""

from typing import Annotated

from pydantic import Field

from schemas.detector_settings import Alpha, Rows, Settings
from schemas.duration import Duration

Path = Annotated[str, Field(min_length=1, max_length=128)]
"""A dotted path into the payload."""


class CalibrationSettings(Settings):
    """The expected calibration error of a window against that of a baseline."""

    n_ref: Annotated[int, Field(ge=100, le=100_000, description="pairs of the baseline")] = 1000
    n_cur: Annotated[int, Field(ge=100, le=100_000, description="pairs of the window")] = 1000
    stride: Annotated[Rows, Field(description="pairs between two tests")] = 100
    bins: Annotated[int, Field(ge=1, le=50, description="parts of [0, 1], equally wide")] = 10
    tolerance: Annotated[
        float, Field(ge=0.0, lt=1.0, description="rise of the error that is no matter")
    ] = 0.02
    alpha: Annotated[Alpha, Field(description="false alarms per test, at most")] = 1e-6


class LabelSettings(Settings):
    """Where a stream's messages have the prediction, the label, and what both are about.

    The defaults are the fields of `schemas:Label`.
    """

    message: Path = Field(
        "message",
        description="The uid that both halves name; where a schema lets it be missing, as "
        "`schemas:Label` does not, the message is about itself.",
    )
    prediction: Path = Field("prediction", description="What was predicted.")
    label: Path = Field("label", description="What was true.")
    confidence: Path | None = Field(
        "confidence", description="Probability, as the model has it, that it is right."
    )
    tolerance: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="Numbers that differ by no more than this count as right."
    )
    waiting: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        10_000, description="Halves remembered, the latest; older ones are counted and forgotten."
    )
    age: Duration = Field(
        604_800.0, description="How long a half is remembered, by the times of the entries."
    )
    settle: Duration | None = Field(
        None,
        description="How long a pair waits for a correction of its label before it counts, by the "
        "times of the entries; later ones are counted and change nothing.",
    )
    calibration: CalibrationSettings | None = Field(
        CalibrationSettings(), description="The test of the confidences; none: off."
    )
