"""Which settings stand for which rule. A new rule is a file and a line here."""

from detectors.anomaly.contract import Rule
from detectors.anomaly.iqr import Iqr
from detectors.anomaly.limits import Limits
from schemas.anomaly_settings import AnomalySettings


def rules_for(settings: AnomalySettings) -> dict[str, Rule]:
    """Return new rules without fields, by kind; those whose settings are None are off.

    The robust z-score is none of them: a watch always has it, to tell deviations.
    """
    chosen: dict[str, Rule] = {}
    if settings.limits:
        chosen[Limits.kind] = Limits((), settings.limits)
    if settings.iqr:
        chosen[Iqr.kind] = Iqr((), settings.iqr)
    return chosen
