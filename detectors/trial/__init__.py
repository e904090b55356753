"""Detectors on trial: what each would cost and find on traffic that has been, still pure."""

from detectors.trial.advice import Advice, advise
from detectors.trial.candidates import Candidate, candidates
from detectors.trial.result import Found, Row
from detectors.trial.traffic import Traffic
from detectors.trial.trial import Trial, TrialSettings

__all__ = [
    "Advice",
    "Candidate",
    "Found",
    "Row",
    "Traffic",
    "Trial",
    "TrialSettings",
    "advise",
    "candidates",
]
