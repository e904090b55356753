"""The settings of what judges distributions."""

from typing import Annotated

from pydantic import Field

from schemas.detector_settings import Alpha, Rows, Settings


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
