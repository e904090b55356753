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


class NoveltySettings(Settings):
    """Novelty of a metric against all its past: our own detector for single numbers."""

    limit: Annotated[
        float, Field(gt=0.0, description="summed surprise from which a row is flagged, in -log10 p")
    ] = 4.0
    cooldown: Annotated[
        int, Field(ge=0, le=100_000, description="values in which only a higher score is reported")
    ] = 200
    history: Annotated[
        int, Field(ge=64, le=100_000, description="past values compared with, for each field")
    ] = 10_000
    tail_window: Annotated[
        int, Field(ge=64, le=100_000, description="distances that the tail is fitted to")
    ] = 20_000
    warm_up: Annotated[
        int, Field(ge=32, le=10_000, description="distances seen before the first is judged")
    ] = 128
    season_s: Annotated[float, Field(gt=0.0, description="length of the season, in seconds")] = (
        86_400.0
    )
    season_bins: Annotated[int, Field(ge=1, le=1000, description="parts of the season")] = 24
    step_s: Annotated[
        float, Field(gt=0.0, description="seconds between two rows that come without a time")
    ] = 300.0


class ZScoreSettings(HistorySettings):
    """A value too many standard deviations from the mean of its recent past."""

    limit: Annotated[float, Field(gt=0.0, description="|z| from which a row is flagged")] = 3.0


class StandardAbsoluteDeviationSettings(Settings):
    """The distance from the mean of all the past, in standard deviations; River's."""

    limit: Annotated[float, Field(gt=0.0, description="deviations that flag a row")] = 3.0
    warm_up: Annotated[Rows, Field(description="values of a field before it is judged")] = 100


class GaussianScorerSettings(Settings):
    """The tail probability under a normal distribution; River's, without its ceiling."""

    limit: Annotated[float, Field(gt=0.0, description="-log10 p from which a row is flagged")] = 3.0
    warm_up: Annotated[Rows, Field(description="values of a field before it is judged")] = 100
    window: Annotated[
        int | None,
        Field(
            ge=2, le=10_000, description="recent values it is fitted to; all of them when absent"
        ),
    ] = None


class PredictiveAnomalyDetectionSettings(Settings):
    """The error of a Holt-Winters forecast against its own past; River's, without its ceiling."""

    alpha: Annotated[float, Field(gt=0.0, le=1.0, description="smoothing of the level")] = 0.3
    beta: Annotated[float, Field(ge=0.0, le=1.0, description="smoothing of the trend")] = 0.1
    gamma: Annotated[float, Field(ge=0.0, le=1.0, description="smoothing of the season")] = 0.3
    season: Annotated[int, Field(ge=0, le=10_000, description="values in a season; 0 for none")] = 0
    n_std: Annotated[
        float, Field(gt=0.0, description="deviations above the mean squared error that flag a row")
    ] = 3.0
    warm_up: Annotated[Rows, Field(description="values of a field before it is judged")] = 100


class RobustMahalanobisSettings(Settings):
    """The distance from the bulk of the recent past, in its own shape: our multivariate one."""

    window: Annotated[int, Field(ge=32, le=100_000, description="rows remembered")] = 2048
    stride: Annotated[Rows, Field(description="rows between two fits")] = 256
    kept: Annotated[
        float, Field(ge=0.5, le=1.0, description="share of the rows that the fit keeps")
    ] = 0.75
    steps: Annotated[int, Field(ge=1, le=20, description="concentration steps of a fit")] = 2
    ridge: Annotated[
        float, Field(gt=0.0, description="variance added to every direction, in squared units")
    ] = 0.01
    warm_up: Annotated[Rows, Field(description="rows before the first is judged")] = 128


class LodaSettings(Settings):
    """LODA (Pevný, Machine Learning 2016), River's implementation and defaults."""

    n_bins: Annotated[int, Field(ge=2, le=256, description="bins of a histogram")] = 10
    n_random_cuts: Annotated[int, Field(ge=1, le=1000, description="random projections")] = 100
    seed: Annotated[int, Field(ge=0, description="seed of the projections")] = 42
    scale: Annotated[bool, Field(description="map each field to [0, 1] by its min and max")] = True
    warm_up: Annotated[Rows, Field(description="rows before the first is judged")] = 250


class OneClassSvmSettings(Settings):
    """The linear one-class SVM by stochastic gradients, with River's defaults."""

    nu: Annotated[float, Field(gt=0.0, le=1.0, description="expected share of anomalies")] = 0.1
    learning_rate: Annotated[
        float, Field(gt=0.0, le=1.0, description="size of a step down the gradient")
    ] = 0.01
    scale: Annotated[
        bool, Field(description="standardise each field by its mean and deviation so far")
    ] = True
    warm_up: Annotated[Rows, Field(description="rows before the first is judged")] = 250


class LocalOutlierFactorSettings(Settings):
    """LOF over a window (Breunig et al., SIGMOD 2000; Pokrajac et al., 2007)."""

    n_neighbors: Annotated[int, Field(ge=1, le=200, description="nearest rows compared with")] = 10
    window: Annotated[int, Field(ge=8, le=5000, description="rows remembered")] = 1000
    scale: Annotated[bool, Field(description="map each field to [0, 1] by its min and max")] = True

    @model_validator(mode="after")
    def _window_holds_the_neighbours(self) -> Self:
        if self.window <= self.n_neighbors:
            raise ValueError(f"window {self.window} must exceed n_neighbors {self.n_neighbors}")
        return self


class AutoencoderSettings(Settings):
    """A small network that learns to repeat a row through a bottleneck."""

    hidden: Annotated[int, Field(ge=1, le=256, description="units of the bottleneck")] = 8
    learning_rate: Annotated[
        float, Field(gt=0.0, le=1.0, description="size of a step down the gradient")
    ] = 0.01
    seed: Annotated[int, Field(ge=0, description="seed of the first weights")] = 42
    warm_up: Annotated[Rows, Field(description="rows before the first is judged")] = 512


class IncidentSettings(Settings):
    """How findings are joined to incidents."""

    quiet: Annotated[
        Rows,
        Field(description="rows of its key without a further finding until an incident is over"),
    ] = 200
    max_open: Annotated[int, Field(ge=1, le=100_000, description="incidents open at a time")] = 1000
    each: Annotated[
        int,
        Field(
            ge=0, description="messages of one incident with an event each; then changes alone tell"
        ),
    ] = 100


class AnomalySettings(Settings):
    """What judges single messages: the forest by default, everything else when named.

    A key with its own settings, or with ``{}`` for the defaults, switches a detector on.
    """

    half_space_trees: HalfSpaceTreesSettings | None = HalfSpaceTreesSettings()
    quantile: QuantileSettings = QuantileSettings()
    history: Annotated[
        RobustZSettings, Field(description="the past against which deviations are told")
    ] = RobustZSettings()
    incidents: IncidentSettings = IncidentSettings()
    robust_z: Annotated[bool, Field(description="flag by the limit of `history`")] = False
    iqr: IqrSettings | None = None
    limits: LimitsSettings | None = None
    z_score: ZScoreSettings | None = None
    novelty: NoveltySettings | None = None
    standard_absolute_deviation: StandardAbsoluteDeviationSettings | None = None
    gaussian_scorer: GaussianScorerSettings | None = None
    predictive_anomaly_detection: PredictiveAnomalyDetectionSettings | None = None
    robust_mahalanobis: RobustMahalanobisSettings | None = None
    loda: LodaSettings | None = None
    one_class_svm: OneClassSvmSettings | None = None
    local_outlier_factor: LocalOutlierFactorSettings | None = None
    autoencoder: AutoencoderSettings | None = None
    max_keys: Annotated[int, Field(ge=1, description="keys remembered at a time")] = 1000
