"""What the workers use: everything that judges one stream, by name and by key, still pure."""

from detectors.watch.anomaly import AnomalyWatch
from detectors.watch.drift import DriftWatch
from detectors.watch.keyed import KeyedWatch
from detectors.watch.verdicts import AnomalyVerdict, DriftVerdict

__all__ = ["AnomalyVerdict", "AnomalyWatch", "DriftVerdict", "DriftWatch", "KeyedWatch"]
