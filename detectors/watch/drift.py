"""Which fields of one stream, or of one key, changed their distribution, and how."""

import numpy as np

from detectors.drift.catalog import detectors_for
from detectors.drift.contract import Detection, DriftDetector
from detectors.severity import drift_severity
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats
from detectors.watch.sentences import drift_sentence
from detectors.watch.verdicts import DriftVerdict
from schemas.drift_settings import DriftSettings


class DriftWatch:
    """Watches every field with every drift detector in the settings.

    A field's detectors start at its first value. A field that is missing from a row is not
    judged by it. Verdicts come by ascending row, then by field and detector.

    >>> x = np.random.default_rng(5).normal(size=(4000, 1))
    >>> x[2000:] += 1.0
    >>> for found in DriftWatch(DriftSettings()).observe(("t",), x):
    ...     print(found.detector, "at row", found.row, found.severity)
    adwin at row 2143 high
    psi at row 2149 high
    """

    def __init__(self, settings: DriftSettings) -> None:
        self._settings = settings
        self._detectors: dict[str, dict[str, DriftDetector]] = {}

    def observe(self, names: tuple[str, ...], x: Floats) -> list[DriftVerdict]:
        """Judge and learn ``x`` (float64 [rows, names]); any order of columns will do."""
        present = np.logical_or.reduce(~np.isnan(x), axis=0)
        found = []
        for index in np.flatnonzero(present).tolist():
            for kind, detector in self._watching(names[index]).items():
                for detection in detector.update(x[:, index]):
                    found.append(_verdict(names[index], kind, detection))
        return sorted(found, key=lambda verdict: (verdict.row, verdict.field, verdict.detector))

    def state(self) -> State:
        """Return the state of every detector of every field."""
        return {
            "settings": self._settings.model_dump_json(),
            "fields": {
                field: {kind: detector.state() for kind, detector in detectors.items()}
                for field, detectors in self._detectors.items()
            },
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit these settings."""
        reader = StateReader(state, "DriftWatch")
        reader.expect("settings", self._settings.model_dump_json())
        fields = StateReader(reader.mapping("fields"), "DriftWatch")
        restored = {}
        for field in reader.mapping("fields"):
            restored[field] = detectors_for(self._settings)
            states = StateReader(fields.mapping(field), f"DriftWatch, {field}")
            for kind, detector in restored[field].items():
                detector.restore(states.mapping(kind))
        self._detectors = restored

    def _watching(self, field: str) -> dict[str, DriftDetector]:
        if field not in self._detectors:
            self._detectors[field] = detectors_for(self._settings)
        return self._detectors[field]


def _verdict(field: str, kind: str, found: Detection) -> DriftVerdict:
    severity = drift_severity(found.effect, found.baseline, found.current, found.deviation)
    return DriftVerdict(found.row, field, kind, found, severity, drift_sentence(field, found))
