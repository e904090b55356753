"""Which settings stand for which drift detector. A new detector is a file and a line here."""

from collections.abc import Mapping

from detectors.drift.accuracy_drop import AccuracyDrop
from detectors.drift.adwin import Adwin
from detectors.drift.adwin_errors import AdwinErrors
from detectors.drift.bernoulli import Bernoulli
from detectors.drift.categories import Categories
from detectors.drift.conformal import Conformal
from detectors.drift.contract import DriftDetector, Input
from detectors.drift.ddm import Ddm
from detectors.drift.drift_score import DriftScore
from detectors.drift.eddm import Eddm
from detectors.drift.fhddm import Fhddm
from detectors.drift.hddm_a import HddmA
from detectors.drift.hddm_w import HddmW
from detectors.drift.jensen_shannon import JensenShannon
from detectors.drift.ks import Ks
from detectors.drift.kswin import Kswin
from detectors.drift.page_hinkley import PageHinkley
from detectors.drift.psi import Psi
from detectors.drift.z_test import ZTest
from schemas.drift_settings import DriftSettings

ALL: tuple[type[DriftDetector], ...] = (
    *(Conformal, Adwin, Ks, Psi, JensenShannon, DriftScore, ZTest, Kswin, PageHinkley),
    *(Bernoulli, AccuracyDrop, AdwinErrors, Ddm, Eddm, HddmA, HddmW, Fhddm),
    *(Categories,),
)
"""Every detector; each has its settings in :class:`DriftSettings` under its kind."""

WEIGHTED = (Conformal, Bernoulli)
"""Those whose values can have weights, by which a budget of false alarms is kept."""

TESTED = (Ks, ZTest, Psi, JensenShannon, Categories)
"""Those that make tests with p-values, at levels by which a budget of false alarms is kept."""


def detectors_for(settings: DriftSettings, takes: Input = "values") -> dict[str, DriftDetector]:
    """Return new detectors for one field, by kind; those whose settings are None are off."""
    return {
        cls.kind: cls(getattr(settings, cls.kind))  # type: ignore[call-arg]
        for cls in ALL
        if cls.takes == takes and getattr(settings, cls.kind) is not None
    }


def tests_among(settings: DriftSettings, detectors: Mapping[str, DriftDetector]) -> list[str]:
    """Return which detectors make tests with p-values, and do not go by a fixed threshold."""
    return [
        kind
        for kind, detector in detectors.items()
        if isinstance(detector, TESTED)
        and getattr(getattr(settings, kind), "fixed_threshold", None) is None
    ]


def tests_of(
    settings: DriftSettings, fields: Mapping[str, Mapping[str, DriftDetector]]
) -> dict[str, list[str]]:
    """Return the same for the detectors of each field that has any such."""
    found = {field: tests_among(settings, each) for field, each in fields.items()}
    return {field: kinds for field, kinds in found.items() if kinds}
