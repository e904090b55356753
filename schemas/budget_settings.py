"""How many false alarms a whole pipeline may raise, as ``streams.yaml`` says it."""

from typing import Annotated

from pydantic import Field

from schemas.detector_settings import Settings
from schemas.duration import Duration


class BudgetSettings(Settings):
    """The false alarms that all drift workers together may raise in a span of time."""

    false_alarms: Annotated[float, Field(gt=0.0, le=1e6)] = Field(
        description="False alarms allowed, on average."
    )
    per: Duration = Field(description="In this span of time.")

    @property
    def rate_per_s(self) -> float:
        """The false alarms allowed in a second.

        >>> print(f"{BudgetSettings(false_alarms=1, per='30d').rate_per_s:.2e}")
        3.86e-07
        """
        return self.false_alarms / self.per
