"""Detectors of one kind that judge the rows of a call for several fields together."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from detectors.drift.comparable import Comparable, update_all
from detectors.drift.conformal import Conformal
from detectors.drift.contract import Detection, DriftDetector
from detectors.drift.present import Present
from detectors.drift.reference_window import Allow
from detectors.values import Floats


class _Waiting(NamedTuple):
    """A field's detector, and what it is to take in."""

    field: str
    detector: Conformal | Comparable
    values: Present
    allow: Allow | None


class Together:
    """Gathers detectors with their values, and then has those of a kind take them in at once.

    What they find is what each of them would find alone.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, list[_Waiting]] = {}

    def gather(
        self,
        field: str,
        detector: DriftDetector,
        x: Floats,
        weights: Floats | None,
        allow: Allow | None,
    ) -> bool:
        """Note a detector and its values (float64 [rows]); False where it has to judge alone."""
        if not isinstance(detector, Conformal | Comparable):
            return False
        values = Present.of(x, weights if isinstance(detector, Conformal) else None)
        waiting = _Waiting(field, detector, values, allow)
        self._kinds.setdefault(detector.kind, []).append(waiting)
        return True

    def detections(self) -> Iterator[tuple[str, str, Detection]]:
        """Have all take in their values; the field, the kind, and what was found."""
        for kind, waiting in self._kinds.items():
            for each, found in zip(waiting, _judged(waiting), strict=True):
                yield from ((each.field, kind, one) for one in found)


def _judged(waiting: Sequence[_Waiting]) -> list[list[Detection]]:
    """Have detectors of one kind take in their values."""
    values = [each.values for each in waiting]
    ranking = [each.detector for each in waiting if isinstance(each.detector, Conformal)]
    if ranking:
        return Conformal.update_all(ranking, values)
    windows = [each.detector for each in waiting if isinstance(each.detector, Comparable)]
    return update_all(windows, values, [each.allow for each in waiting])
