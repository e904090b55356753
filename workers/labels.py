"""Predictions and the labels that follow, joined by the uid of the message both are about."""

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from math import nan
from typing import Any, NamedTuple

import numpy as np
from pydantic_core import from_json, to_json

from detectors.fields import Columns
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.watch import DriftVerdict, KeyedWatch
from detectors.watch.quality import CONFIDENCE, ERROR, QualityWatch
from schemas.drift_settings import DriftSettings
from schemas.label_settings import LabelSettings
from streams.entry import Entry
from workers.recent import Recent
from workers.watching import Part, Payload, Rows, seconds, value_at

Value = bool | int | float | str

_TABLES = ("halves", "whole", "counted")
_LONGEST = 128  # characters of a class's name or a uid; longer names are remembered by hash


class Half(NamedTuple):
    """A prediction that waits for its label, or a label that waits for its prediction."""

    at_ms: int
    key: str | None
    prediction: Value | None
    label: Value | None
    confidence: float | None


class Pair(NamedTuple):
    """A prediction whose label is known; ``row`` is that of the entry by which it counts."""

    row: int
    key: str | None
    error: float
    confidence: float


class Waiting:
    """The halves that wait for the other one: bounded in number, and in age by entries' times.

    A pair counts once: ``settle`` after it was complete, at once by default, and earlier where
    there are too many such pairs. Until then a later label or prediction takes the place of the
    one before. Whatever comes for a message that has counted changes nothing, as long as that is
    remembered, which is as many messages and as long as halves are; such labels are counted in
    ``n_corrected``, and what was forgotten unmatched in ``n_evicted``.
    """

    def __init__(self, settings: LabelSettings) -> None:
        self._settings = settings
        self._halves: OrderedDict[str, Half] = OrderedDict()  # the latest last
        self._whole: OrderedDict[str, Half] = OrderedDict()  # by when they were complete
        self._counted: OrderedDict[str, int] = OrderedDict()  # and when, in ms
        self.n_evicted = 0
        self.n_corrected = 0

    def take(self, row: int, entry: Entry, key: str | None, payload: Payload) -> list[Pair]:
        """Take in an entry; the pairs that count by it."""
        about, half = self._read(entry, key, payload)
        self._forget(before_ms=entry.at_ms - int(self._settings.age * 1000))
        due = self._due(row, entry.at_ms)
        if half.prediction is None and half.label is None:
            return due
        if about in self._counted:
            self.n_corrected += half.label is not None
            return due
        if about in self._whole:
            before = self._whole[about]
            self._whole[about] = _joined(before, half)._replace(at_ms=before.at_ms)
            return due
        self._wait(about, half)
        return due + self._due(row, entry.at_ms)

    def state(self) -> State:
        """Return the halves that wait, the latest last, and the messages that have counted."""
        return {
            "halves": _packed(self._halves),
            "whole": _packed(self._whole),
            "counted": to_json(list(self._counted.items())),
            "n_evicted": self.n_evicted,
            "n_corrected": self.n_corrected,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, most = StateReader(state, "Waiting"), self._settings.waiting
        n_evicted, n_corrected = reader.integer("n_evicted"), reader.integer("n_corrected")
        halves, whole, counted = (_rows(reader, name, most) for name in _TABLES)
        try:
            self._halves = OrderedDict((about, Half(*half)) for about, *half in halves)
            self._whole = OrderedDict((about, Half(*half)) for about, *half in whole)
            self._counted = OrderedDict((about, int(at_ms)) for about, at_ms in counted)
        except (TypeError, ValueError) as error:
            raise StateError("the state of waiting labels is malformed") from error
        self.n_evicted, self.n_corrected = n_evicted, n_corrected

    def _wait(self, about: str, half: Half) -> None:
        before = self._halves.pop(about, None)
        if before is not None:
            half = _joined(before, half)
        if half.prediction is not None and half.label is not None:
            self._whole[about] = half
            return
        self._halves[about] = half
        if len(self._halves) > self._settings.waiting:
            self._halves.popitem(last=False)
            self.n_evicted += 1

    def _due(self, row: int, now_ms: int) -> list[Pair]:
        """Count the pairs that have waited long enough, or are too many."""
        pairs, latest_ms = [], now_ms - int((self._settings.settle or 0.0) * 1000)
        while self._whole:
            about, half = next(iter(self._whole.items()))
            if half.at_ms > latest_ms and len(self._whole) <= self._settings.waiting:
                break
            del self._whole[about]
            self._counted[about] = now_ms
            if len(self._counted) > self._settings.waiting:
                self._counted.popitem(last=False)
            pairs.append(self._pair(row, half))
        return pairs

    def _pair(self, row: int, half: Half) -> Pair:
        is_right = (
            half.prediction is not None
            and half.label is not None
            and self._is_right(half.prediction, half.label)
        )
        sure = nan if half.confidence is None else half.confidence
        return Pair(row, half.key, float(not is_right), sure)

    def _read(self, entry: Entry, key: str | None, payload: Payload) -> tuple[str, Half]:
        paths = self._settings
        about = value_at(payload, paths.message)
        about = about if isinstance(about, str) and about else entry.uid
        sure = value_at(payload, paths.confidence) if paths.confidence else None
        half = Half(
            entry.at_ms,
            key,
            _value(value_at(payload, paths.prediction)),
            _value(value_at(payload, paths.label)),
            _share(sure),
        )
        return _short(about), half

    def _forget(self, before_ms: int) -> None:
        while self._halves and next(iter(self._halves.values())).at_ms < before_ms:
            self._halves.popitem(last=False)
            self.n_evicted += 1
        while self._counted and next(iter(self._counted.values())) < before_ms:
            self._counted.popitem(last=False)

    def _is_right(self, prediction: Value, label: Value) -> bool:
        if isinstance(prediction, str | bool) or isinstance(label, str | bool):
            return prediction == label
        return abs(prediction - label) <= self._settings.tolerance


class LabelledPairs:
    """What a stream's pairs say about its model: a watch for each value of the key.

    The states of all of them take ``max_bytes`` at most.
    """

    def __init__(self, labels: LabelSettings, detectors: DriftSettings, max_bytes: int) -> None:
        self._waiting = Waiting(labels)
        self._watch: KeyedWatch[DriftVerdict] = KeyedWatch(
            lambda: QualityWatch(detectors, labels.calibration), detectors.max_keys, max_bytes
        )
        self.recent = Recent()

    def observe(self, seen: Rows) -> list[tuple[Entry, str | None, DriftVerdict]]:
        """Join the entries of a batch; what was found, by the entry by which a pair counts."""
        rows = zip(seen.entries, seen.keys, seen.payloads, strict=True)
        pairs = [p for row, each in enumerate(rows) for p in self._waiting.take(row, *each)]
        if not pairs:
            return []
        x = np.array([[pair.error, pair.confidence] for pair in pairs])
        names, keys = (ERROR, CONFIDENCE), [pair.key for pair in pairs]
        entries = [seen.entries[pair.row] for pair in pairs]
        places = seen.places[[pair.row for pair in pairs]]
        self.recent.add(places, keys, Columns(names, x))
        found = self._watch.observe(keys, names, x, seconds(places))
        return [(entries[verdict.row], keys[verdict.row], verdict) for verdict in found]

    def counts(self) -> dict[str, int]:
        """What was counted since the beginning, by what it is."""
        return {
            "keys_evicted": self._watch.evicted,
            "labels_evicted": self._waiting.n_evicted,
            "labels_corrected": self._waiting.n_corrected,
        }

    def levels(self) -> dict[str, float]:
        """The calibration error, and its bound, of the key that comes closest to its bound."""
        watches = (each for each in self._watch.watches if isinstance(each, QualityWatch))
        tested = [found for each in watches if (found := each.calibration)]
        if not tested:
            return {}
        worst = max(tested, key=lambda found: found.value - found.threshold)
        return {"calibration_error": worst.value, "calibration_bound": worst.threshold}

    def parts(self) -> dict[str, Part]:
        """All that has a state, by name."""
        return {"waiting": self._waiting, "quality": self._watch, "pairs": self.recent}


def _joined(before: Half, now: Half) -> Half:
    """Both in one; of what both have, the later one's counts."""
    return Half(
        now.at_ms,
        now.key if now.key is not None else before.key,
        before.prediction if now.prediction is None else now.prediction,
        before.label if now.label is None else now.label,
        before.confidence if now.prediction is None else now.confidence,
    )


def _packed(halves: Mapping[str, Half]) -> bytes:
    return to_json([[about, *half] for about, half in halves.items()])


def _rows(reader: StateReader, name: str, most: int) -> list[Any]:
    rows = from_json(reader.raw(name))
    if not isinstance(rows, list) or len(rows) > most:
        raise StateError("the state of waiting labels holds more than may wait")
    return rows


def _value(found: Any) -> Value | None:
    if isinstance(found, str):
        return _short(found)
    is_number = isinstance(found, int | float)  # NaN is not below the bound
    return found if is_number and abs(found) <= 2**53 else None


def _share(found: Any) -> float | None:
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number and 0.0 <= found <= 1.0 else None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else sha256(text.encode(errors="replace")).hexdigest()
