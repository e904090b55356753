"""What the settings of all detectors share, as ``streams.yaml`` may spell them.

Lax where the events are strict: YAML writes ``3`` where ``3.0`` is meant. Unknown keys are
forbidden. Every default is a choice that one fixed setting for all streams has to live with;
the field descriptions say what it buys.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.model import Name

Rows = Annotated[int, Field(ge=1, le=1_000_000)]
"""A number of rows or values."""

Alpha = Annotated[float, Field(gt=0.0, lt=1.0)]
"""The probability of a false alarm per test, in (0, 1)."""


class Settings(BaseModel):
    """Settings from YAML: frozen, finite, unknown keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FieldSettings(Settings):
    """Which numbers of a payload are watched."""

    patterns: Annotated[
        tuple[Name, ...] | None,
        Field(description="fnmatch patterns over dotted paths; every numeric leaf when absent"),
    ] = None
    max_fields: Annotated[int, Field(ge=1, le=4096, description="distinct paths admitted")] = 256
    max_depth: Annotated[int, Field(ge=1, le=32, description="levels of nesting entered")] = 8
