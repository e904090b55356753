"""How many values drift detectors look at, and how often they may be wrong."""

from typing import Annotated

from pydantic import Field

from schemas.detector_settings import Alpha

NBaseline = Annotated[int, Field(ge=20, le=10_000, description="values of the baseline")]
NWindow = Annotated[int, Field(ge=20, le=10_000, description="values of the window")]
Warmth = Annotated[int, Field(ge=1, le=100_000, description="values before the first verdict")]
Confidence = Annotated[Alpha, Field(description="bound on false alarms per test")]
