"""From what the detectors think of a row to the one verdict about it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.anomaly.contract import FieldScores
from detectors.anomaly.limits import Limits
from detectors.quantile import Judged
from detectors.severity import anomaly_severity, rank
from detectors.values import Floats
from detectors.watch.guilt import guilty_fields
from detectors.watch.sentences import anomaly_sentence, limits_sentence
from detectors.watch.verdicts import AnomalyVerdict
from schemas.anomaly_settings import AnomalySettings
from schemas.findings import FieldValue, Severity

_MOST_FIELDS = 5


class Opinion(NamedTuple):
    """What one detector thinks of some rows.

    ``scores``: float64 [rows]. ``judged``: thresholds, flags and p-values of the same length.
    ``found``: how much each field did for the score, and the values expected.
    """

    kind: str
    scores: Floats
    judged: Judged
    found: FieldScores

    def severity(self, row: int, share: float) -> Severity:
        """Return the severity of ``row``; a broken fixed limit is at least high."""
        severity = anomaly_severity(float(self.judged.p_value[row]), share)
        return max(severity, Severity.HIGH, key=rank) if self.kind == Limits.kind else severity


class Evidence(NamedTuple):
    """The rows themselves, float64 [rows, names], and the deviations from their past."""

    names: tuple[str, ...]
    x: Floats
    past: FieldScores

    def usual(self, row: int, column: int) -> tuple[float, float]:
        """Return the range between which most of the field's recent values lay; NaN unknown."""
        if self.past.low is None or self.past.high is None:
            return np.nan, np.nan
        return float(self.past.low[row, column]), float(self.past.high[row, column])

    def field(self, row: int, column: int) -> FieldValue:
        """Return one field's part in ``row``."""
        return FieldValue(
            field=self.names[column],
            value=float(self.x[row, column]),
            deviation=float(self.past.ratio[row, column]),
        )

    def fields(self, row: int, lead: int) -> tuple[FieldValue, ...]:
        """Return the five most deviant fields of ``row``, ``lead`` being one of them."""
        values, ratios = self.x[row].tolist(), self.past.ratio[row].tolist()
        present = [i for i, value in enumerate(values) if not math.isnan(value)]
        chosen = sorted(present, key=lambda i: (-ratios[i], self.names[i]))[:_MOST_FIELDS]
        if lead not in chosen:
            chosen[-1] = lead
        return tuple(
            FieldValue(field=self.names[i], value=values[i], deviation=ratios[i]) for i in chosen
        )


def verdict(
    row: int, evidence: Evidence, opinions: Sequence[Opinion], settings: AnomalySettings
) -> AnomalyVerdict:
    """Return the most severe of the opinions that flag ``row``; the first of equals."""
    agreed = [opinion for opinion in opinions if opinion.judged.flagged[row]]
    share = settings.quantile.share
    found = [(opinion.severity(row, share), opinion) for opinion in agreed]
    severity, worst = max(found, key=lambda each: rank(each[0]))
    others = [opinion.kind for opinion in agreed if opinion is not worst]
    ratio = np.where(np.isnan(evidence.x[row]), -1.0, worst.found.ratio[row])
    lead = int(ratio.argmax())
    return AnomalyVerdict(
        row=row,
        detector=worst.kind,
        score=float(worst.scores[row]),
        threshold=float(worst.judged.threshold[row]),
        p_value=float(worst.judged.p_value[row]),
        severity=severity,
        fields=evidence.fields(row, lead),
        explanation=_explain(row, worst, evidence, lead, others, settings),
        guilty=guilty_fields(row, worst.found, evidence.past, evidence.names, evidence.x),
    )


def _explain(
    row: int,
    worst: Opinion,
    evidence: Evidence,
    lead: int,
    others: Sequence[str],
    settings: AnomalySettings,
) -> str:
    field = evidence.field(row, lead)
    if worst.kind == Limits.kind and settings.limits:
        return limits_sentence(field, settings.limits.limits[field.field], others)
    rarity = float(worst.judged.p_value[row]), int(worst.judged.n_past[row])
    sentence = anomaly_sentence(field, float(evidence.past.center[row, lead]), rarity, others)
    low, high = evidence.usual(row, lead)
    return sentence if np.isnan(low) else f"{sentence}; usual is {low:.4g} to {high:.4g}"
