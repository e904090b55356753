"""What is normal for fields that are frozen: detectors come back to it after each detection."""

from collections.abc import Mapping
from dataclasses import replace

from detectors.drift.bernoulli import Bernoulli
from detectors.drift.conformal import Conformal
from detectors.drift.contract import Detection, DriftDetector
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats

REST = 300
"""Values after a detection that are not judged; so often a drift is told at most, as it lasts."""

Bettor = Conformal | Bernoulli


class Held:
    """Remembers for each frozen field what its bettors knew when they were frozen.

    A detector that made a detection does not learn the new values then: it goes on from what was
    remembered, after a rest. So a drift is told again and again, for as long as it lasts.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, State]] = {}
        self._rest: dict[tuple[str, str], int] = {}

    def __contains__(self, field: str) -> bool:
        return field in self._known

    def hold(self, fields: Mapping[str, Mapping[str, DriftDetector]]) -> None:
        """Hold these fields, and no others; one that has not learnt enough is left for later.

        What is held already stays what it was.
        """
        for field in self._known.keys() - fields.keys():
            self.forget(field)
        for field in fields.keys() - self._known.keys():
            bettors = {k: each for k, each in fields[field].items() if isinstance(each, Bettor)}
            if bettors and all(each.has_learnt for each in bettors.values()):
                self._known[field] = {kind: each.normal() for kind, each in bettors.items()}

    def forget(self, field: str) -> None:
        """Let the detectors of a field learn again."""
        for kind in self._known.pop(field, ()):
            self._rest.pop((field, kind), None)

    def update(
        self, field: str, detector: Bettor, values: Floats, weights: Floats | None
    ) -> list[Detection]:
        """Have a detector take in values (float64 [n]); as it does by itself where none is held."""
        if field not in self._known:
            return detector.update(values, weights)
        found: list[Detection] = []
        begin = self._rested(field, detector.kind, 0, len(values))
        while begin < len(values):
            own = None if weights is None else weights[begin:]
            detections = detector.update(values[begin:], own)
            if not detections:
                break
            found.append(replace(detections[0], row=begin + detections[0].row))
            detector.restore(self._known[field][detector.kind])
            self._rest[field, detector.kind] = REST
            begin = self._rested(field, detector.kind, found[-1].row + 1, len(values))
        return found

    def _rested(self, field: str, kind: str, begin: int, end: int) -> int:
        """Rest from ``begin`` on; return the row from which to judge again, at most ``end``."""
        rest = min(self._rest.get((field, kind), 0), end - begin)
        if rest:
            self._rest[field, kind] -= rest
        return begin + rest

    def state(self) -> State:
        """Return what is remembered of each field, and how long its detectors rest."""
        return {
            field: {
                k: {"known": s, "rest": self._rest.get((field, k), 0)} for k, s in kinds.items()
            }
            for field, kinds in self._known.items()
        }

    def restore(self, state: State, fields: Mapping[str, Mapping[str, DriftDetector]]) -> None:
        """Continue from ``state``; raises StateError when it does not fit these detectors."""
        reader, known, rest = StateReader(state, "Held"), dict[str, dict[str, State]](), {}
        for field in state:
            kinds = StateReader(reader.mapping(field), f"Held, {field}")
            known[field] = {}
            for kind in reader.mapping(field):
                if kind not in fields.get(field, ()):
                    raise StateError(f"the state of Held has {kind!r} of {field!r}, unknown here")
                each = StateReader(kinds.mapping(kind), f"Held, {field}")
                known[field][kind] = each.mapping("known")
                rest[field, kind] = each.integer("rest", high=REST)
        self._known, self._rest = known, rest
