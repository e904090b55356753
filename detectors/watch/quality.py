"""How good predictions are, of one stream or of one key: their errors, and their confidences."""

from detectors.calibration import Calibration
from detectors.drift.contract import Detection, Measured
from detectors.severity import drift_severity
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats
from detectors.watch.drift import DriftWatch
from detectors.watch.verdicts import DriftVerdict
from schemas.drift_settings import AccuracyDropSettings, DriftSettings
from schemas.label_settings import CalibrationSettings

ERROR, CONFIDENCE = "error", "confidence"
"""The columns: 1 for a wrong prediction and 0 for a right one; how sure the model was, or NaN."""


class QualityWatch:
    """Watches pairs of a prediction and its label.

    Errors have the settings' detectors of errors, and ``accuracy_drop`` unless these say
    otherwise, each at its own bound on false alarms. Confidences are held against them by
    :class:`Calibration`. Verdicts come by ascending row, then by field and detector.

    >>> import numpy as np
    >>> rng = np.random.default_rng(3)
    >>> errors = (rng.random(5000) < np.repeat([0.1, 0.3], 2500)).astype(np.float64)
    >>> pairs = np.stack((errors, np.full(5000, 0.9)), axis=1)
    >>> for found in QualityWatch(DriftSettings(), CalibrationSettings()).observe((), pairs):
    ...     print(f"{found.field}: {found.detector} at row {found.row}")
    error: bernoulli at row 2606
    error: accuracy_drop at row 2649
    confidence: calibration at row 2899
    """

    def __init__(self, settings: DriftSettings, calibration: CalibrationSettings | None) -> None:
        self._errors = DriftWatch(of_errors(settings))
        self._calibration = Calibration(calibration) if calibration else None

    @property
    def calibration(self) -> Measured | None:
        """The calibration error and its bound at the latest test, if there was one."""
        return self._calibration.tested if self._calibration else None

    def observe(
        self, names: tuple[str, ...], x: Floats, at_s: Floats | None = None
    ) -> list[DriftVerdict]:
        """Judge and learn ``x`` (float64 [rows, 2]): errors and confidences."""
        found = self._errors.observe((ERROR,), x[:, :1])
        if self._calibration:
            detections = self._calibration.update(x[:, 1], x[:, 0])
            found += [_verdict(detection) for detection in detections]
        return sorted(found, key=lambda verdict: (verdict.row, verdict.field, verdict.detector))

    def state(self) -> State:
        """Return the state of all detectors."""
        calibration = self._calibration.state() if self._calibration else {}
        return {"errors": self._errors.state(), "calibration": calibration}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit these settings."""
        reader = StateReader(state, "QualityWatch")
        self._errors.restore(reader.mapping("errors"))
        if self._calibration:
            self._calibration.restore(reader.mapping("calibration"))


def of_errors(settings: DriftSettings) -> DriftSettings:
    """Return the settings under which joined errors are watched."""
    changed: dict[str, object] = {
        "errors": (ERROR,),
        "codes": (),
        "texts": False,
        "presence": None,
        "budget_per_s": None,
    }
    if "accuracy_drop" not in settings.model_fields_set:
        changed["accuracy_drop"] = AccuracyDropSettings()
    return settings.model_copy(update=changed)


def _verdict(found: Detection) -> DriftVerdict:
    severity = drift_severity(found)
    measured = found.measured
    before, now = 100.0 * (1.0 - found.baseline.mean), 100.0 * (1.0 - found.current.mean)
    sentence = (
        f"confidences are off by {measured.value:.2g} on average (expected calibration error), "
        f"more than {measured.threshold:.2g}; {now:.3g} % of predictions were right, and "
        f"{before:.3g} % before"
    )
    return DriftVerdict(found.row, CONFIDENCE, Calibration.kind, found, severity, sentence)
