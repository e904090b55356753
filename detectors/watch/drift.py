"""Which fields of one stream, or of one key, changed their distribution, and how."""

from fnmatch import fnmatchcase

import numpy as np

from detectors.drift.bernoulli import Bernoulli
from detectors.drift.catalog import detectors_for
from detectors.drift.contract import Detection, DriftDetector, Input
from detectors.severity import drift_severity
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats
from detectors.watch.sentences import PRESENCE, drift_sentence
from detectors.watch.verdicts import DriftVerdict
from schemas.drift_settings import DriftSettings


class DriftWatch:
    """Watches every field with every drift detector in the settings.

    What a field's numbers mean, values, errors or category codes, and thereby which detectors
    it gets, the settings say by its name. A field's detectors start at its first value. A field
    that is missing from a row is not judged by it, but for its presence: from its first value
    on, ``presence`` sees a 0 for every row that has the field and a 1 for every row that has
    not. Verdicts come by ascending row, then by field and detector.

    >>> x = np.random.default_rng(5).normal(size=(4000, 1))
    >>> x[2000:] += 1.0
    >>> for found in DriftWatch(DriftSettings()).observe(("t",), x):
    ...     print(found.detector, "at row", found.row, found.severity)
    conformal at row 2016 high
    """

    def __init__(self, settings: DriftSettings) -> None:
        self._settings = settings
        self._detectors: dict[str, dict[str, DriftDetector]] = {}

    def observe(self, names: tuple[str, ...], x: Floats) -> list[DriftVerdict]:
        """Judge and learn ``x`` (float64 [rows, names]); any order of columns will do."""
        columns = {name: x[:, index] for index, name in enumerate(names)}
        absent = np.full(len(x), np.nan)
        found = []
        for field in sorted({*columns, *self._detectors}):
            values = columns.get(field, absent)
            missing = np.isnan(values).astype(np.float64)
            if field not in self._detectors:
                if missing.all():
                    continue
                self._detectors[field] = self._new(field)
                missing[: int(missing.argmin())] = np.nan  # not yet there is not missing
            for kind, detector in self._detectors[field].items():
                for detection in detector.update(missing if kind == PRESENCE else values):
                    found.append(_verdict(field, kind, detection))
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
            restored[field] = self._new(field)
            states = StateReader(fields.mapping(field), f"DriftWatch, {field}")
            for kind, detector in restored[field].items():
                detector.restore(states.mapping(kind))
        self._detectors = restored

    def _new(self, field: str) -> dict[str, DriftDetector]:
        detectors = detectors_for(self._settings, self._meaning(field))
        if self._settings.presence:
            detectors[PRESENCE] = Bernoulli(self._settings.presence)
        return detectors

    def _meaning(self, field: str) -> Input:
        if any(fnmatchcase(field, pattern) for pattern in self._settings.errors):
            return "errors"
        if any(fnmatchcase(field, pattern) for pattern in self._settings.codes):
            return "codes"
        return "values"


def _verdict(field: str, kind: str, found: Detection) -> DriftVerdict:
    now = found.current if found.has_quartiles else found.baseline
    severity = drift_severity(found.effect, found.baseline, now, found.deviation)
    return DriftVerdict(found.row, field, kind, found, severity, drift_sentence(field, kind, found))
