"""The settings of what judges single messages."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.detector_settings import Rows, Settings
from schemas.model import Name


class HalfSpaceTreesSettings(Settings):
    """Half-space trees (Tan, Ting and Liu, IJCAI 2011), with River's defaults."""

    n_trees: Annotated[int, Field(ge=1, le=256, description="trees in the forest")] = 10
    height: Annotated[int, Field(ge=1, le=15, description="splits between root and leaf")] = 8
    window: Annotated[int, Field(ge=2, le=100_000, description="rows between two pivots")] = 250
    seed: Annotated[int, Field(ge=0, description="seed of the random splits")] = 42
    scale: Annotated[bool, Field(description="map each field to [0, 1] by its min and max")] = True


class QuantileSettings(Settings):
    """The adaptive threshold on scores."""

    share: Annotated[float, Field(gt=0.0, le=0.5, description="share of the scores to flag")] = 0.01
    window: Annotated[Rows, Field(description="recent scores remembered")] = 10_000
    warm_up: Annotated[Rows, Field(description="scores seen before the first is flagged")] = 250
    stride: Annotated[Rows, Field(description="most scores between two refreshes")] = 256

    @model_validator(mode="after")
    def _window_holds_the_share(self) -> Self:
        if self.window < self.warm_up or self.window * self.share < 1.0:
            raise ValueError(
                f"window {self.window} is too short for share {self.share} and warm_up "
                f"{self.warm_up}; take at least {max(self.warm_up, int(1.0 / self.share) + 1)}"
            )
        return self


class HistorySettings(Settings):
    """How much of each field's past a rule knows."""

    window: Annotated[int, Field(ge=8, le=100_000, description="rows remembered")] = 512
    stride: Annotated[Rows, Field(description="rows between two refreshes")] = 64
    min_values: Annotated[Rows, Field(description="values of a field before it is judged")] = 32

    @model_validator(mode="after")
    def _window_is_long_enough(self) -> Self:
        if self.window < self.min_values:
            raise ValueError(f"window {self.window} is shorter than min_values {self.min_values}")
        return self


class RobustZSettings(HistorySettings):
    """A value too many robust deviations from its median."""

    limit: Annotated[float, Field(gt=0.0, description="|z| from which a row is flagged")] = 3.0


class IqrSettings(HistorySettings):
    """A value beyond Tukey's fences."""

    fence: Annotated[
        float, Field(gt=0.0, description="fences in interquartile ranges beyond the quartiles")
    ] = 1.5


class LimitsSettings(Settings):
    """Fixed limits: the interval each field must stay in, both ends included."""

    limits: Annotated[
        dict[Name, tuple[float | None, float | None]],
        Field(description="field to (lowest, highest); null for no bound on that side"),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _low_lies_below_high(self) -> Self:
        for field, (low, high) in self.limits.items():
            if low is not None and high is not None and low > high:
                raise ValueError(f"limits of {field!r}: {low} lies above {high}; swap them")
        return self


class AnomalySettings(Settings):
    """What judges single messages: the forest by default, rules when named."""

    half_space_trees: HalfSpaceTreesSettings | None = HalfSpaceTreesSettings()
    quantile: QuantileSettings = QuantileSettings()
    history: Annotated[
        RobustZSettings, Field(description="the past against which deviations are told")
    ] = RobustZSettings()
    robust_z: Annotated[bool, Field(description="flag by the limit of `history`")] = False
    iqr: IqrSettings | None = None
    limits: LimitsSettings | None = None
    max_keys: Annotated[int, Field(ge=1, description="keys remembered at a time")] = 1000
