"""Whether fields are there: one detector for all that have been missing together."""

from collections.abc import Iterator, Mapping

from detectors.drift.bernoulli import Bernoulli
from detectors.drift.contract import Detection
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats
from schemas.drift_settings import BernoulliSettings


class Presence:
    """Watches for each field how often it is missing.

    Fields that came in the same row and have been missing in the same rows ever since, most
    often in none, share one detector; where they part, each part goes on with a copy of it.
    What shares is decided by all rows since the start, so any split into calls gives the same.
    """

    def __init__(self, settings: BernoulliSettings) -> None:
        self._settings = settings
        self._groups: list[tuple[list[str], Bernoulli]] = []

    def observe(
        self, missing: Mapping[str, Floats], weights: Mapping[str, Floats] | None = None
    ) -> Iterator[tuple[str, Detection]]:
        """Judge and learn a column (float64 [rows]) for every field so far and every new one.

        It is 1 where the field is missing, 0 where it is there, NaN before its first value.
        ``weights`` are as for the detector, and the same for fields that came together.
        """
        self._regroup(missing)
        for fields, detector in self._groups:
            first = fields[0]
            for found in detector.update(missing[first], weights[first] if weights else None):
                yield from ((field, found) for field in fields)

    def state(self) -> State:
        """Return the state of every detector, with the fields that share it."""
        ordered = sorted(self._groups, key=lambda group: group[0])
        return {"groups": [{"fields": list(names), "of": one.state()} for names, one in ordered]}

    def restore(self, state: State, fields: set[str]) -> None:
        """Continue from ``state``, which must know ``fields`` and no others.

        Raises StateError when it does not fit.
        """
        groups, known = [], []
        for inner in StateReader(state, "Presence").states("groups"):
            reader = StateReader(inner, "Presence")
            names = sorted(reader.texts("fields"))
            known += names
            groups.append((names, self._copy(reader.mapping("of"))))
        if sorted(known) != sorted(fields) or not all(names for names, _ in groups):
            raise StateError("the state of Presence does not have each field in one group")
        self._groups = groups

    def _regroup(self, missing: Mapping[str, Floats]) -> None:
        groups = []
        for fields, detector in self._groups:
            kept, *others = _alike(fields, missing)
            groups.append((kept, detector))
            groups += [(part, self._copy(detector.state())) for part in others]
        new = sorted(missing.keys() - {field for fields, _ in groups for field in fields})
        groups += [(part, Bernoulli(self._settings)) for part in _alike(new, missing)]
        self._groups = groups

    def _copy(self, state: State) -> Bernoulli:
        detector = Bernoulli(self._settings)
        detector.restore(state)
        return detector


def _alike(fields: list[str], missing: Mapping[str, Floats]) -> list[list[str]]:
    """Return ``fields`` in parts whose columns are the same, those most often one object."""
    if len({id(missing[field]) for field in fields}) == 1:
        return [fields]
    parts: dict[bytes, list[str]] = {}
    for field in fields:
        parts.setdefault(missing[field].tobytes(), []).append(field)
    return list(parts.values())
