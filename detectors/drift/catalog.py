"""Which settings stand for which drift detector. A new detector is a file and a line here."""

from detectors.drift.adwin import Adwin
from detectors.drift.contract import DriftDetector
from detectors.drift.ks import Ks
from detectors.drift.psi import Psi
from schemas.drift_settings import DriftSettings


def detectors_for(settings: DriftSettings) -> dict[str, DriftDetector]:
    """Return new detectors for one field, by kind; those whose settings are None are off."""
    chosen: dict[str, DriftDetector] = {}
    if settings.adwin:
        chosen[Adwin.kind] = Adwin(settings.adwin)
    if settings.ks:
        chosen[Ks.kind] = Ks(settings.ks)
    if settings.psi:
        chosen[Psi.kind] = Psi(settings.psi)
    return chosen
