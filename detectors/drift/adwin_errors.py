"""ADWIN on errors."""

from typing import ClassVar

import numpy as np

from detectors.drift.adwin import Adwin
from detectors.drift.contract import Detection, Input
from detectors.values import Floats
from schemas.drift_settings import AdwinErrorsSettings


class AdwinErrors(Adwin):
    """Reports cuts of a growing window of errors: 0 for right, any other number for wrong.

    For: error rates that rise or fall.

    Errors lie in [0, 1], the range that ADWIN's bound is made for, so nothing is scaled. It
    reports falls of the error rate like rises: a model that learns is a change, too.

    Misses: rises that are small for as many values. Cries wolf on errors that come in runs.

    Reference: Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing",
    SDM 2007.

    >>> errors = np.random.default_rng(5).random(4000) < np.repeat([0.1, 0.4], 2000)
    >>> print(f"drift at value {AdwinErrors().update(errors.astype(np.float64))[0].row}")
    drift at value 2143
    """

    kind: ClassVar[str] = "adwin_errors"
    takes: ClassVar[Input] = "errors"

    def __init__(self, settings: AdwinErrorsSettings | None = None) -> None:
        super().__init__(settings or AdwinErrorsSettings())

    def update(self, x: Floats) -> list[Detection]:
        """Take in ``x`` (float64 [n]); returns the detections, by ascending row."""
        return super().update(np.where(np.isnan(x), x, (x != 0.0).astype(np.float64)))
