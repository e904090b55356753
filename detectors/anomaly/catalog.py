"""Which settings stand for which detector. A new one is a file and a line here."""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from detectors.anomaly.autoencoder import Autoencoder
from detectors.anomaly.contract import Rule, Scorer
from detectors.anomaly.gaussian_scorer import GaussianScorer
from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.anomaly.iqr import Iqr
from detectors.anomaly.limits import Limits
from detectors.anomaly.local_outlier_factor import LocalOutlierFactor
from detectors.anomaly.loda import Loda
from detectors.anomaly.novelty import Novelty
from detectors.anomaly.one_class_svm import OneClassSvm
from detectors.anomaly.predictive import PredictiveAnomalyDetection
from detectors.anomaly.robust_mahalanobis import RobustMahalanobis
from detectors.anomaly.standard_absolute_deviation import StandardAbsoluteDeviation
from detectors.anomaly.z_score import ZScore
from schemas.anomaly_settings import AnomalySettings, HalfSpaceTreesSettings

MakeScorer: TypeAlias = Callable[[tuple[str, ...]], Scorer]
"""Makes a scorer of these fields."""

_RULES: tuple[Any, ...] = (
    Limits,
    Iqr,
    ZScore,
    Novelty,
    StandardAbsoluteDeviation,
    GaussianScorer,
    PredictiveAnomalyDetection,
)
_SCORERS: tuple[Any, ...] = (
    HalfSpaceTrees,
    RobustMahalanobis,
    Loda,
    OneClassSvm,
    LocalOutlierFactor,
    Autoencoder,
)


def rules_for(settings: AnomalySettings) -> dict[str, Rule]:
    """Return new rules without fields, by kind; those whose settings are None are off.

    The robust z-score is none of them: a watch always has it, to tell deviations.
    """
    return {
        rule.kind: rule((), getattr(settings, rule.kind))
        for rule in _RULES
        if getattr(settings, rule.kind) is not None
    }


def scorers_for(settings: AnomalySettings) -> dict[str, MakeScorer]:
    """Return what makes each scorer, by kind; those whose settings are None are off."""
    return {
        scorer.kind: _maker(scorer, getattr(settings, scorer.kind))
        for scorer in _SCORERS
        if getattr(settings, scorer.kind) is not None
    }


def _maker(scorer: Any, options: object) -> MakeScorer:
    def make(names: tuple[str, ...]) -> Scorer:
        if scorer is HalfSpaceTrees:
            # A watch knows the fields; which of them its first row has means nothing.
            return HalfSpaceTrees(names, cast(HalfSpaceTreesSettings, options), on_all=True)
        made: Scorer = scorer(names, options)
        return made

    return make
