"""The settings of what judges distributions."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from schemas.detector_settings import Alpha, Rows, Settings
from schemas.drift_error_settings import (
    DdmSettings,
    EddmSettings,
    FhddmSettings,
    HddmASettings,
    HddmWSettings,
)
from schemas.drift_sizes import Confidence, NBaseline, NWindow, Warmth
from schemas.model import Name

RunLength = Annotated[
    float,
    Field(gt=1.0, le=1e15, description="P(false alarm within n values) is at most n / this"),
]


class ConformalSettings(Settings):
    """Bets on conformal ranks (Vovk 2021; Shin, Ramdas and Rinaldo 2024)."""

    run_length: RunLength = 1e7
    n_start: Annotated[
        int, Field(ge=150, le=10_000, description="values learnt before the first is judged")
    ] = 300
    n_ref: Annotated[
        int, Field(ge=300, le=10_000, description="latest values among which one is ranked")
    ] = 4000
    whiten: Annotated[
        bool, Field(description="take out what is predictable, where that is significant")
    ] = True
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="of how ties are broken")] = 7


class BernoulliSettings(Settings):
    """Bets on conformal ranks of zeros and ones."""

    run_length: RunLength = 2e6
    n_start: Annotated[
        int, Field(ge=20, le=10_000, description="values learnt before the first is judged")
    ] = 200
    n_ref: Annotated[
        int, Field(ge=100, le=100_000, description="latest values that say how many ones to expect")
    ] = 10_000
    direction: Annotated[
        Literal["up", "both"], Field(description="report more ones only, or fewer too")
    ] = "up"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="of how ties are broken")] = 7


class AdwinSettings(Settings):
    """ADWIN (Bifet and Gavaldà, SDM 2007)."""

    delta: Annotated[Alpha, Field(description="bound on false alarms per check")] = 1e-5
    clock: Annotated[int, Field(ge=1, le=10_000, description="values between two checks")] = 32
    max_buckets: Annotated[
        int, Field(ge=1, le=64, description="buckets of one size before two are joined")
    ] = 5
    min_window_length: Annotated[
        int, Field(ge=1, le=10_000, description="least values on either side of a cut")
    ] = 5
    grace_period: Annotated[
        int, Field(ge=1, le=100_000, description="values before the first check")
    ] = 10
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

    n_ref: NBaseline = 500
    n_cur: NWindow = 200
    stride: Annotated[Rows, Field(description="values between two tests")] = 50
    alpha: Annotated[Alpha, Field(description="false alarms per test")] = 1e-6


class KsSettings(ReferenceWindowSettings):
    """The two-sample Kolmogorov-Smirnov test."""


class ZTestSettings(ReferenceWindowSettings):
    """The two-sample z-test of the means."""


class BinnedSettings(ReferenceWindowSettings):
    """A baseline and a window as counts in bins."""

    bins: Annotated[int, Field(ge=2, le=100, description="bins of equal baseline mass")] = 10
    fixed_threshold: Annotated[
        float | None,
        Field(gt=0.0, description="the classic threshold, such as 0.2; replaces `alpha`"),
    ] = None


class PsiSettings(BinnedSettings):
    """The population stability index."""


class JensenShannonSettings(BinnedSettings):
    """The Jensen-Shannon divergence, in bits."""


class DriftScoreSettings(BinnedSettings):
    """The share of the values that lie elsewhere (total variation distance)."""


class CategoriesSettings(ReferenceWindowSettings):
    """The chi-squared test of homogeneity over categories."""

    max_categories: Annotated[
        int, Field(ge=2, le=1000, description="codes told apart; higher ones count as one")
    ] = 100


class AccuracyDropSettings(ReferenceWindowSettings):
    """The accuracy of a window against that of the baseline."""

    max_drop: Annotated[
        float, Field(gt=0.0, lt=1.0, description="the drop of the share of right ones tolerated")
    ] = 0.05
    alpha: Annotated[
        float, Field(gt=0.0, le=1.0, description="false alarms per test; 1: the drop alone counts")
    ] = 1e-6


class KswinSettings(Settings):
    """KSWIN (Raab, Heusinger and Schleif, Neurocomputing 2020)."""

    alpha: Confidence = 1e-6
    window: Annotated[int, Field(ge=20, le=10_000, description="values of the window")] = 200
    latest: Annotated[
        int, Field(ge=5, le=1000, description="latest of these, compared with as many older")
    ] = 60
    n_ref: NBaseline = 500
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="of which older are drawn")] = 7

    @model_validator(mode="after")
    def _check_sizes(self) -> "KswinSettings":
        if 2 * self.latest > self.window:
            raise ValueError(f"window must be at least twice latest ({2 * self.latest})")
        return self


class PageHinkleySettings(Settings):
    """The Page-Hinkley test (Page, Biometrika 1954)."""

    threshold: Annotated[float, Field(gt=0.0, description="alarm above this sum")] = 50.0
    delta: Annotated[float, Field(ge=0.0, description="change tolerated per value")] = 0.25
    forget: Annotated[float, Field(gt=0.0, le=1.0, description="factor on the sum per value")] = (
        0.9999
    )
    n_start: Warmth = 30
    standardize: Annotated[
        bool, Field(description="bring the first `n_ref` values to mean 0 and deviation 1")
    ] = True
    direction: Annotated[
        Literal["up", "down", "both"], Field(description="report rises, falls, or both")
    ] = "both"
    n_ref: NBaseline = 300
    n_cur: NWindow = 200


class AdwinErrorsSettings(AdwinSettings):
    """ADWIN on errors, which lie in [0, 1] already."""

    standardize: Annotated[
        Literal[False], Field(description="errors need no scale: always false")
    ] = False


_PROFILES: dict[str, dict[str, Any]] = {
    "calm": {"conformal": {}, "bernoulli": {}, "categories": {}, "presence": {}},
    "classic": {
        "ks": {"alpha": 0.05},
        "psi": {"fixed_threshold": 0.15},
        "jensen_shannon": {"fixed_threshold": 0.10},
        "drift_score": {"fixed_threshold": 0.15},
        "accuracy_drop": {"max_drop": 0.05, "alpha": 1.0},
        "categories": {"alpha": 0.05},
    },
}


class DriftSettings(Settings):
    """What judges the distribution of each field.

    A detector that is not named is the profile's: ``calm`` has the sequential ones, which are
    made to be silent without a change; ``classic`` the customary tests at their customary
    thresholds, which are not. A detector that is named has the settings given here, and none
    is off. ``errors`` and ``codes`` say which fields of numbers are what; all others are values.
    Fields of strings and flags are codes (see ``detectors.texts``), unless ``texts`` is off.
    """

    profile: Annotated[
        Literal["calm", "classic"], Field(description="what detectors not named here are")
    ] = "calm"
    errors: Annotated[
        tuple[Name, ...], Field(description="fnmatch patterns of fields that are 1 for an error")
    ] = ()
    codes: Annotated[
        tuple[Name, ...], Field(description="fnmatch patterns of fields that are category codes")
    ] = ()
    conformal: Annotated[
        ConformalSettings | None, Field(description="of values; in the profile `calm`")
    ] = None
    adwin: Annotated[AdwinSettings | None, Field(description="of values")] = None
    ks: Annotated[
        KsSettings | None, Field(description="of values; in `classic`, at `alpha` 0.05")
    ] = None
    psi: Annotated[PsiSettings | None, Field(description="of values; in `classic`, above 0.15")] = (
        None
    )
    jensen_shannon: Annotated[
        JensenShannonSettings | None, Field(description="of values; in `classic`, above 0.10")
    ] = None
    drift_score: Annotated[
        DriftScoreSettings | None, Field(description="of values; in `classic`, above 0.15")
    ] = None
    z_test: Annotated[ZTestSettings | None, Field(description="of values")] = None
    kswin: Annotated[KswinSettings | None, Field(description="of values")] = None
    page_hinkley: Annotated[PageHinkleySettings | None, Field(description="of values")] = None
    bernoulli: Annotated[
        BernoulliSettings | None, Field(description="of errors; in the profile `calm`")
    ] = None
    accuracy_drop: Annotated[
        AccuracyDropSettings | None, Field(description="of errors; in `classic`, beyond 0.05")
    ] = None
    adwin_errors: Annotated[AdwinErrorsSettings | None, Field(description="of errors")] = None
    ddm: Annotated[DdmSettings | None, Field(description="of errors")] = None
    eddm: Annotated[EddmSettings | None, Field(description="of errors")] = None
    hddm_a: Annotated[HddmASettings | None, Field(description="of errors")] = None
    hddm_w: Annotated[HddmWSettings | None, Field(description="of errors")] = None
    fhddm: Annotated[FhddmSettings | None, Field(description="of errors")] = None
    categories: Annotated[
        CategoriesSettings | None,
        Field(description="of codes; in `calm`, and in `classic` at `alpha` 0.05"),
    ] = None
    texts: Annotated[
        bool, Field(description="watch strings and flags, too, with the detectors of codes")
    ] = True
    daily: Annotated[
        bool,
        Field(description="take out the course of the day, where it is evident, of values"),
    ] = True
    presence: Annotated[
        BernoulliSettings | None, Field(description="whether a field is there; in `calm`")
    ] = None
    budget_per_s: Annotated[
        float | None,
        Field(
            gt=0.0,
            le=1e6,
            description="false alarms allowed a second over all fields of a stream, or of a key; "
            "replaces `run_length`",
        ),
    ] = None
    incident_quiet: Annotated[
        Rows, Field(description="rows of its key without a further drift until an incident is over")
    ] = 1000
    max_keys: Annotated[int, Field(ge=1, description="keys remembered at a time")] = 1000

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return _PROFILES.get(str(given.get("profile", "calm")), {}) | given
