"""Which fields of one stream, or of one key, changed their distribution, and how."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import numpy as np

from detectors.drift.catalog import WEIGHTED, detectors_for
from detectors.drift.contract import Detection, DriftDetector, Input
from detectors.severity import drift_severity
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Bools, Floats
from detectors.watch.budget import Budget
from detectors.watch.presence import Presence
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

    With ``budget_per_s`` the false alarms of ``conformal``, ``bernoulli`` and ``presence`` over
    all fields within T seconds are at most ``budget_per_s`` times T on average, however many
    rows come; see :class:`~detectors.watch.budget.Budget`. Other detectors keep to their own.

    >>> x = np.random.default_rng(5).normal(size=(4000, 1))
    >>> x[2000:] += 1.0
    >>> for found in DriftWatch(DriftSettings()).observe(("t",), x):
    ...     print(found.detector, "at row", found.row, found.severity)
    conformal at row 2016 high
    """

    def __init__(self, settings: DriftSettings) -> None:
        self._settings = settings
        self._detectors: dict[str, dict[str, DriftDetector]] = {}
        self._presence = Presence(settings.presence) if settings.presence else None
        self._budget = Budget(settings.budget_per_s) if settings.budget_per_s else None

    @property
    def spent(self) -> dict[str, float]:
        """For each field, the false alarms to be expected so far; empty without a budget."""
        return self._budget.spent if self._budget else {}

    def observe(
        self, names: tuple[str, ...], x: Floats, at_s: Floats | None = None
    ) -> list[DriftVerdict]:
        """Judge and learn ``x`` (float64 [rows, names]); any order of columns will do.

        ``at_s`` (float64 [rows]) are the rows' times in seconds, which a budget needs: without
        them it raises ValueError.
        """
        clock = self._advance(at_s)
        missing = _missing(names, x, self._detectors)
        self._welcome(missing)
        columns = {name: x[:, index] for index, name in enumerate(names)}
        found = list(self._of_values(columns, missing, clock))
        if self._presence:
            found += self._of_presence(self._presence, missing, clock)
        return sorted(found, key=lambda verdict: (verdict.row, verdict.field, verdict.detector))

    def state(self) -> State:
        """Return the state of every detector of every field."""
        return {
            "settings": self._settings.model_dump_json(),
            "fields": {
                field: {kind: detector.state() for kind, detector in detectors.items()}
                for field, detectors in self._detectors.items()
            },
            "presence": self._presence.state() if self._presence else {},
            "budget": self._budget.state() if self._budget else {},
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit these settings.

        After an error the watch is unusable; make another.
        """
        reader = StateReader(state, "DriftWatch")
        reader.expect("settings", self._settings.model_dump_json())
        fields = StateReader(reader.mapping("fields"), "DriftWatch")
        presence, budget = reader.mapping("presence"), reader.mapping("budget")
        restored = {}
        for field in reader.mapping("fields"):
            restored[field] = detectors_for(self._settings, self._meaning(field))
            states = StateReader(fields.mapping(field), f"DriftWatch, {field}")
            for kind, detector in restored[field].items():
                detector.restore(states.mapping(kind))
        if self._presence:
            self._presence.restore(presence, set(restored))
        if self._budget:
            self._budget.restore(budget, set(restored))
        self._detectors = restored

    def _advance(self, at_s: Floats | None) -> Floats | None:
        if not self._budget:
            return None
        if at_s is None:
            raise ValueError("budget_per_s is per second, but the rows came without their times")
        return self._budget.advance(at_s)

    def _welcome(self, missing: dict[str, Floats]) -> None:
        """Make detectors for the fields that have their first value in this call."""
        new = [field for field in sorted(missing) if field not in self._detectors]
        for field in new:
            self._detectors[field] = detectors_for(self._settings, self._meaning(field))
        if self._budget:
            self._budget.admit((int(np.isnan(missing[field]).argmin()), field) for field in new)

    def _of_values(
        self, columns: Mapping[str, Floats], missing: Mapping[str, Floats], clock: Floats | None
    ) -> Iterator[DriftVerdict]:
        for field in columns.keys() & self._detectors.keys():
            values, weights = columns[field], None
            if self._budget and clock is not None:
                weights = self._budget.values(field, clock, _where(missing[field] == 0.0))
            for kind, detector in self._detectors[field].items():
                if isinstance(detector, WEIGHTED):
                    detections = detector.update(values, weights)
                else:
                    detections = detector.update(values)
                yield from (_verdict(field, kind, each) for each in detections)

    def _of_presence(
        self, presence: Presence, missing: Mapping[str, Floats], clock: Floats | None
    ) -> Iterator[DriftVerdict]:
        weights = None
        if self._budget and clock is not None:
            weights = {
                field: self._budget.presence(field, clock, _where(~np.isnan(column)))
                for field, column in missing.items()
            }
        for field, found in presence.observe(missing, weights):
            yield _verdict(field, PRESENCE, found)

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


def _missing(names: tuple[str, ...], x: Floats, known: Mapping[str, object]) -> dict[str, Floats]:
    """Return, for the fields known and new, 1 for each row without it and 0 for each with it.

    NaN before the first value of a new field. Columns that are all 0 or all 1 are one object.
    """
    here, gone = np.zeros(len(x)), np.ones(len(x))
    columns = dict.fromkeys(known, gone)
    absent = np.isnan(x)
    counts = np.count_nonzero(absent, axis=0).tolist()
    for index, (name, count) in enumerate(zip(names, counts, strict=True)):
        if count == 0 and len(x):
            columns[name] = here
        elif count < len(x):
            columns[name] = absent[:, index].astype(np.float64)
            if name not in known:
                columns[name][: int(absent[:, index].argmin())] = np.nan
    return columns


def _where(there: Bools) -> Bools | None:
    return None if there.all() else there
