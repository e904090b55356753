"""Which fields of one stream, or of one key, changed their distribution, and how."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from detectors.drift.catalog import TESTED, WEIGHTED, detectors_for, tests_among, tests_of
from detectors.drift.contract import Detection, DriftDetector, Input
from detectors.drift.reference_window import Allow
from detectors.severity import drift_severity
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.texts import UNTOLD, is_text_column, path_of
from detectors.values import Bools, Floats
from detectors.watch.arrivals import Arrivals
from detectors.watch.budget import Budget
from detectors.watch.held import Held
from detectors.watch.levels import AlphaBudget, Levels
from detectors.watch.presence import Presence
from detectors.watch.season import Part, Season, Times
from detectors.watch.sentences import APPEARANCE, PRESENCE, drift_sentence
from detectors.watch.together import Together
from detectors.watch.verdicts import DriftVerdict
from schemas.drift_settings import DriftSettings
from schemas.findings import Severity


class DriftWatch:
    """Watches every field with every drift detector in the settings.

    What a field's numbers mean, values, errors or category codes, and thereby which detectors
    it gets, the settings say by its name; columns of texts (``detectors.texts``) have codes.
    Values are judged less their course of the day (:class:`Season`), where they have one and
    ``daily`` is on. A field's detectors start at its first value. A field that is missing from
    a row is not judged by it, but for its presence: from its first value on, ``presence`` sees a
    0 for every row that has the field and a 1 for every row that has not; and :class:`Arrivals`
    reports, as ``presence`` too, fields that come up after the first rows, once. Verdicts come by
    ascending row, then by field and detector.

    With ``budget_per_s`` the false alarms of ``conformal``, ``bernoulli`` and ``presence`` over
    all fields within T seconds are at most ``budget_per_s`` times T on average, however many
    rows come; see :class:`~detectors.watch.budget.Budget`. With ``tests`` the detectors that make
    tests with p-values share that one (:class:`~detectors.watch.levels.Levels`): a test raises an
    alarm if its own ``alpha`` and the level both allow it. Other detectors keep to their own.

    >>> x = np.random.default_rng(5).normal(size=(4000, 1))
    >>> x[2000:] += 1.0
    >>> for found in DriftWatch(DriftSettings()).observe(("t",), x):
    ...     print(found.detector, "at row", found.row, found.severity)
    conformal at row 2031 high
    """

    def __init__(self, settings: DriftSettings, tests: AlphaBudget | None = None) -> None:
        self._settings = settings
        self._levels = Levels(tests) if tests else None
        self._detectors: dict[str, dict[str, DriftDetector]] = {}
        self._held = Held()
        watched = settings.presence
        self._seasons: dict[str, Season] = {}
        self._presence = Presence(watched) if watched else None
        self._arrivals = Arrivals(watched.n_start, 1.0 / watched.run_length) if watched else None
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
        if at_s is None and (self._budget or self._levels):
            raise ValueError("a budget is per second, but the rows came without their times")
        clock = self._budget.advance(at_s) if self._budget and at_s is not None else None
        missing = _missing(names, x, self._detectors)
        self._welcome(missing)
        columns = {name: x[:, index] for index, name in enumerate(names)}
        found = list(self._of_values(columns, missing, clock, at_s))
        if self._presence:
            found += self._of_presence(self._presence, missing, clock)
        if self._arrivals:
            arrived = self._arrivals.observe(missing, len(x))
            found += (_verdict(field, PRESENCE, each) for field, each in arrived)
        return sorted(found, key=lambda verdict: (verdict.row, verdict.field, verdict.detector))

    def relearn(self, fields: Collection[str]) -> None:
        """Have the detectors of these fields, by their paths, learn anew what is normal."""
        for column in self._detectors:
            if path_of(column) in fields:
                self._held.forget(column)
                self._detectors[column] = detectors_for(self._settings, self._meaning(column))

    def hold(self, fields: Collection[str]) -> None:
        """Have ``conformal`` and ``bernoulli`` of these fields alone keep to what is normal now."""
        known = self._detectors.items() if fields else ()
        self._held.hold({column: each for column, each in known if path_of(column) in fields})

    def state(self) -> State:
        """Return the state of every detector of every field."""
        return {
            "settings": self._settings.model_dump_json(),
            "fields": {
                field: {kind: detector.state() for kind, detector in detectors.items()}
                for field, detectors in self._detectors.items()
            },
            "seasons": {field: season.state() for field, season in self._seasons.items()},
            "presence": self._presence.state() if self._presence else {},
            "arrivals": self._arrivals.state() if self._arrivals else {},
            "budget": self._budget.state() if self._budget else {},
            "levels": self._levels.state() if self._levels else {},
            "held": self._held.state(),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit these settings.

        After an error the watch is unusable; make another.
        """
        reader = StateReader(state, "DriftWatch")
        reader.expect("settings", self._settings.model_dump_json())
        fields = StateReader(reader.mapping("fields"), "DriftWatch")
        presence, arrivals = reader.mapping("presence"), reader.mapping("arrivals")
        budget, levels = reader.mapping("budget"), reader.mapping("levels")
        restored = {}
        for field in reader.mapping("fields"):
            restored[field] = detectors_for(self._settings, self._meaning(field))
            states = StateReader(fields.mapping(field), f"DriftWatch, {field}")
            for kind, detector in restored[field].items():
                detector.restore(states.mapping(kind))
        seasons, of_season = self._new_seasons(restored), reader.mapping("seasons")
        for field, season in seasons.items():
            season.restore(StateReader(of_season, "DriftWatch").mapping(field))
        if self._presence:
            self._presence.restore(presence, set(restored))
        if self._arrivals:
            self._arrivals.restore(arrivals, set(restored))
        if self._budget:
            self._budget.restore(budget, set(restored))
        if self._levels:
            self._levels.restore(levels, tests_of(self._settings, restored))
        self._held.restore(reader.mapping("held"), restored)
        self._detectors, self._seasons = restored, seasons

    def _welcome(self, missing: dict[str, Floats]) -> None:
        """Make detectors for the fields that have their first value in this call."""
        new = [field for field in sorted(missing) if field not in self._detectors]
        for field in new:
            self._detectors[field] = detectors_for(self._settings, self._meaning(field))
        self._seasons |= self._new_seasons(new)
        first = {field: int(np.isnan(missing[field]).argmin()) for field in new}
        if self._budget:
            self._budget.admit((row, field) for field, row in first.items())
        if self._levels:
            self._levels.admit(
                (row, field, tests_among(self._settings, self._detectors[field]))
                for field, row in first.items()
            )

    def _of_values(
        self,
        columns: Mapping[str, Floats],
        missing: Mapping[str, Floats],
        clock: Floats | None,
        at_s: Floats | None,
    ) -> Iterator[DriftVerdict]:
        times = Times.of(at_s) if at_s is not None and self._settings.daily else None
        together = Together()
        for field in columns.keys() & self._detectors.keys():
            values, weights = columns[field], None
            if is_text_column(field):
                values = np.where(values == UNTOLD, np.nan, values)
            if self._budget and clock is not None:
                weights = self._budget.values(field, clock, _where(missing[field] == 0.0))
            for part in self._parts(field, values, times):
                own = None if weights is None else weights[part.rows]
                part_s = None if at_s is None else at_s[part.rows]
                gathering = together if len(part.values) == len(values) else None
                for kind, each in self._detections(field, part, own, part_s, gathering):
                    found = replace(each, row=part.rows.start + each.row)
                    yield _verdict(field, kind, found, self._is_less_its_course(field))
        for field, kind, each in together.detections():
            yield _verdict(field, kind, each, self._is_less_its_course(field))

    def _parts(self, field: str, values: Floats, times: Times | None) -> Iterator[Part]:
        """Values less their course of the day; a course found or lost has the field begin anew."""
        season = self._seasons.get(field)
        if season is None or times is None:
            yield Part(slice(0, len(values)), values, anew=False)
            return
        for part in season.parts(values, times):
            if part.anew:
                self._held.forget(field)
                self._detectors[field] = detectors_for(self._settings, "values")
            yield part

    def _detections(
        self,
        field: str,
        part: Part,
        weights: Floats | None,
        at_s: Floats | None,
        together: Together | None,
    ) -> Iterator[tuple[str, Detection]]:
        for kind, detector in self._detectors[field].items():
            allow = self._allow(field, kind, at_s) if isinstance(detector, TESTED) else None
            is_held = isinstance(detector, WEIGHTED) and field in self._held
            gathering = None if is_held else together
            if gathering and gathering.gather(field, detector, part.values, weights, allow):
                continue
            if isinstance(detector, WEIGHTED):
                detections = self._held.update(field, detector, part.values, weights)
            elif isinstance(detector, TESTED):
                detections = detector.update(part.values, allow)
            else:
                detections = detector.update(part.values)
            yield from ((kind, each) for each in detections)

    def _is_less_its_course(self, field: str) -> bool:
        return field in self._seasons and self._seasons[field].is_active

    def _allow(self, field: str, kind: str, at_s: Floats | None) -> Allow | None:
        if self._levels is None or at_s is None:
            return None
        return self._levels.allow(field, kind, at_s)

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

    def _new_seasons(self, fields: Iterable[str]) -> dict[str, Season]:
        of_values = (field for field in fields if self._meaning(field) == "values")
        return {field: Season() for field in of_values} if self._settings.daily else {}

    def _meaning(self, field: str) -> Input:
        if is_text_column(field):
            return "codes"
        if any(fnmatchcase(field, pattern) for pattern in self._settings.errors):
            return "errors"
        if any(fnmatchcase(field, pattern) for pattern in self._settings.codes):
            return "codes"
        return "values"


def _verdict(field: str, kind: str, found: Detection, is_less: bool = False) -> DriftVerdict:
    is_new = found.measured.statistic == APPEARANCE
    severity = Severity.MEDIUM if is_new else drift_severity(found)
    sentence = drift_sentence(path_of(field), kind, found)
    sentence += "; its usual course of the day is taken out" if is_less else ""
    return DriftVerdict(found.row, field, kind, found, severity, sentence)


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
