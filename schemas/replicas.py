"""How many processes a worker has: a number, or a range that follows what waits."""

from typing import Annotated, Any

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from schemas.detector_settings import Settings
from schemas.duration import Duration

_MOST = 256


class Replicas(Settings):
    """How many processes a worker has: `2`, or `{min: 1, max: 4}`, as many as are needed.

    Of a range the supervisor runs as many as the entries that wait ask for, more at once, fewer
    after a while. A worker that owns its lanes alone has one process a lane, within the range.
    """

    min: Annotated[int, Field(ge=0, le=_MOST)] = Field(1, description="Never fewer processes.")
    max: Annotated[int, Field(ge=0, le=_MOST)] = Field(1, description="Never more processes.")
    lag: Annotated[int, Field(ge=1, le=10**9)] = Field(
        1000, description="Entries waiting a process that ask for another one."
    )
    calm: Annotated[Duration, Field(ge=1.0)] = Field(
        300.0, description="How long fewer must have been enough before one is ended."
    )

    @property
    def fixed(self) -> bool:
        """Whether it is a number."""
        return self.min == self.max

    def within(self, processes: int) -> int:
        """The number of the range that is nearest to ``processes``.

        >>> Replicas(min=2, max=4).within(9), Replicas(min=2, max=4).within(0)
        (4, 2)
        """
        return max(self.min, min(self.max, processes))

    @model_validator(mode="before")
    @classmethod
    def _of_a_number(cls, found: Any) -> Any:
        """A number is a range of one."""
        if isinstance(found, dict | Replicas):
            return found
        whole = isinstance(found, int) and not isinstance(found, bool)  # YAML's 0 is a subclass
        if not whole or not 0 <= found <= _MOST:
            raise ValueError(f"write a number from 0 to {_MOST}, or {{min: 1, max: 4}}")
        return {"min": int(found), "max": int(found)}

    @model_validator(mode="after")
    def _in_order(self) -> "Replicas":
        if self.min > self.max:
            raise ValueError(f"'min' ({self.min}) is above 'max' ({self.max})")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, write: SerializerFunctionWrapHandler) -> Any:
        return self.min if self.fixed else write(self)
