"""Predictions and the labels that follow, joined by the uid of the message both are about."""

from collections import OrderedDict
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
from workers.watching import Part, Payload, Seen, times_s, value_at

Value = bool | int | float | str

_LONGEST = 128  # characters of a class's name or a uid; longer names are remembered by hash


class Half(NamedTuple):
    """A prediction that waits for its label, or a label that waits for its prediction."""

    at_ms: int
    key: str | None
    prediction: Value | None
    label: Value | None
    confidence: float | None


class Pair(NamedTuple):
    """A prediction whose label is known; ``row`` is that of the entry that completed it."""

    row: int
    key: str | None
    error: float
    confidence: float


class Waiting:
    """The halves that wait for the other one: bounded in number, and in age by entries' times.

    The first label of a message counts. What was forgotten unmatched is counted in ``n_evicted``.
    """

    def __init__(self, settings: LabelSettings) -> None:
        self._settings = settings
        self._halves: OrderedDict[str, Half] = OrderedDict()  # the latest last
        self.n_evicted = 0

    def take(self, row: int, entry: Entry, key: str | None, payload: Payload) -> Pair | None:
        """Take in an entry; the pair that it completes, if it does."""
        about, half = self._read(entry, key, payload)
        self._forget(before_ms=entry.at_ms - int(self._settings.age * 1000))
        if half.prediction is None and half.label is None:
            return None
        before = self._halves.pop(about, None)
        if before is not None:
            half = _joined(before, half)
        if half.prediction is not None and half.label is not None:
            error = float(not self._is_right(half.prediction, half.label))
            sure = nan if half.confidence is None else half.confidence
            return Pair(row, half.key, error, sure)
        self._halves[about] = half
        if len(self._halves) > self._settings.waiting:
            self._halves.popitem(last=False)
            self.n_evicted += 1
        return None

    def state(self) -> State:
        """Return the halves that wait, the latest last."""
        halves = [[about, *half] for about, half in self._halves.items()]
        return {"halves": to_json(halves), "n_evicted": self.n_evicted}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Waiting")
        n_evicted, halves = reader.integer("n_evicted"), from_json(reader.raw("halves"))
        if not isinstance(halves, list) or len(halves) > self._settings.waiting:
            raise StateError("the state of waiting labels holds more than may wait")
        try:
            self._halves = OrderedDict((about, Half(*half)) for about, *half in halves)
        except TypeError as error:
            raise StateError("the state of waiting labels is malformed") from error
        self.n_evicted = n_evicted

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

    def _is_right(self, prediction: Value, label: Value) -> bool:
        if isinstance(prediction, str | bool) or isinstance(label, str | bool):
            return prediction == label
        return abs(prediction - label) <= self._settings.tolerance


class LabelledPairs:
    """What a stream's pairs say about its model: a watch for each value of the key."""

    def __init__(self, labels: LabelSettings, detectors: DriftSettings) -> None:
        self._waiting = Waiting(labels)
        self._watch: KeyedWatch[DriftVerdict] = KeyedWatch(
            lambda: QualityWatch(detectors, labels.calibration), detectors.max_keys
        )
        self.recent = Recent()

    def observe(self, seen: Seen[DriftVerdict]) -> list[tuple[Entry, str | None, DriftVerdict]]:
        """Join the entries of a batch; what was found, by the entry that completed a pair."""
        rows = zip(seen.entries, seen.keys, seen.payloads, strict=True)
        taken = (self._waiting.take(row, *each) for row, each in enumerate(rows))
        pairs = [pair for pair in taken if pair is not None]
        if not pairs:
            return []
        x = np.array([[pair.error, pair.confidence] for pair in pairs])
        names, keys = (ERROR, CONFIDENCE), [pair.key for pair in pairs]
        entries = [seen.entries[pair.row] for pair in pairs]
        self.recent.add(entries, keys, Columns(names, x))
        found = self._watch.observe(keys, names, x, times_s(entries))
        return [(entries[verdict.row], keys[verdict.row], verdict) for verdict in found]

    def counts(self) -> dict[str, int]:
        """What was counted since the beginning, by what it is."""
        return {
            "keys_evicted": self._watch.evicted,
            "labels_evicted": self._waiting.n_evicted,
        }

    def parts(self) -> dict[str, Part]:
        """All that has a state, by name."""
        return {"waiting": self._waiting, "quality": self._watch, "pairs": self.recent}


def _joined(before: Half, now: Half) -> Half:
    """Both in one; of what both have, a prediction is the later one's and a label the earlier's."""
    return Half(
        now.at_ms,
        now.key if now.key is not None else before.key,
        before.prediction if now.prediction is None else now.prediction,
        now.label if before.label is None else before.label,
        before.confidence if now.prediction is None else now.confidence,
    )


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
