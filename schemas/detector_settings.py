"""The settings of the detectors, as ``streams.yaml`` may spell them.

Lax where the events are strict: YAML writes ``3`` where ``3.0`` is meant. Unknown keys are
forbidden. Every default is a choice that one fixed setting for all streams has to live with;
the field descriptions say what it buys.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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


class AdwinSettings(Settings):
    """ADWIN (Bifet and Gavaldà, SDM 2007)."""

    delta: Annotated[Alpha, Field(description="bound on false alarms per check")] = 1e-5
    clock: Annotated[int, Field(ge=1, le=10_000, description="values between two checks")] = 32
    max_buckets: Annotated[int, Field(ge=1, le=64)] = 5
    min_window_length: Annotated[int, Field(ge=1, le=10_000)] = 5
    grace_period: Annotated[int, Field(ge=1, le=100_000)] = 10
    standardize: Annotated[
        bool, Field(description="map the first `n_ref` values after a start to [0, 1]")
    ] = True
    n_ref: Annotated[int, Field(ge=2, le=10_000, description="values of the baseline")] = 500
    n_cur: Annotated[int, Field(ge=2, le=10_000, description="values of the current sample")] = 200
    rearm: Annotated[
        int, Field(ge=0, le=100_000, description="values after a detection without another")
    ] = 200


class ReferenceWindowSettings(Settings):
    """A fixed baseline against a sliding window."""

    n_ref: Annotated[int, Field(ge=20, le=10_000, description="values of the baseline")] = 500
    n_cur: Annotated[int, Field(ge=20, le=10_000, description="values of the window")] = 200
    stride: Annotated[Rows, Field(description="values between two tests")] = 50
    alpha: Annotated[Alpha, Field(description="false alarms per test")] = 1e-6


class KsSettings(ReferenceWindowSettings):
    """The two-sample Kolmogorov-Smirnov test."""


class PsiSettings(ReferenceWindowSettings):
    """The population stability index."""

    bins: Annotated[int, Field(ge=2, le=100, description="bins of equal baseline mass")] = 10
    fixed_threshold: Annotated[
        float | None,
        Field(gt=0.0, description="the classic threshold, such as 0.2; replaces `alpha`"),
    ] = None


class DriftSettings(Settings):
    """What judges the distribution of each field."""

    adwin: AdwinSettings | None = AdwinSettings()
    ks: KsSettings | None = None
    psi: PsiSettings | None = PsiSettings()
    max_keys: Annotated[int, Field(ge=1, description="keys remembered at a time")] = 1000
