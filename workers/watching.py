"""What the workers that watch streams share: messages as rows, keys, and state.

Each stream is watched apart, so the order of entries across streams does not matter.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from detectors.fields import Columns, FieldTable
from detectors.state import State, StateError, pack, unpack
from detectors.values import Floats
from detectors.watch import KeyedWatch
from detectors.watch.verdicts import V, Watch
from schemas.detector_settings import FieldSettings
from schemas.findings import AnomalyEvent, DriftEvent
from schemas.topology import Topology
from schemas.topology_workers import AnomalyWorkerSettings, DriftWorkerSettings, Watched
from streams.entry import Entry, Output, Settled
from streams.keys import Lane, bare
from workers.provenance import carried_on, finding
from workers.recent import Words, places_of

_LONGEST_KEY = 128

Payload = Mapping[str, Any]


class Rows(NamedTuple):
    """A batch of one stream: a payload, a key and a place for each entry, and columns of numbers.

    ``places`` are as ``places_of`` gives them, ``at_s`` (float64 [entries]) in seconds.
    """

    entries: Sequence[Entry]
    payloads: Sequence[Payload]
    keys: Sequence[str | None]
    columns: Columns
    places: Words
    at_s: Floats


class Told(NamedTuple):
    """An event, the row by which it became known, and the message that it is about."""

    row: int
    event: AnomalyEvent | DriftEvent
    about: str


class Part(Protocol):
    """Something with a state of its own."""

    def state(self) -> State:
        """Everything learnt."""
        ...

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        ...


class WatchedStream(ABC, Generic[V]):
    """One stream: which fields it has, and a watch for each value of its key."""

    def __init__(self, watched: Watched, make: Callable[[], Watch[V]], max_keys: int) -> None:
        self._path = watched.key
        self._fields = FieldTable(FieldSettings(patterns=watched.fields or None))
        self._watch: KeyedWatch[V] = KeyedWatch(make, max_keys)

    @abstractmethod
    def told(self, rows: Rows) -> list[Told]:
        """Judge and learn rows; what there is to tell, row by row."""

    def rows(self, entries: Sequence[Entry]) -> Rows:
        """Look at entries; learns which fields there are.

        A payload that is no JSON object has no fields; one that is no JSON raises ValueError.
        """
        payloads = [entry.payload for entry in entries]
        if set(map(type, payloads)) != {dict}:
            payloads = [payload if isinstance(payload, dict) else {} for payload in payloads]
        keys, places = keys_of(payloads, self._path), places_of(entries)
        columns = self._fields.columns(payloads)
        return Rows(entries, payloads, keys, columns, places, seconds(places))

    def judged(self, rows: Rows) -> list[V]:
        """Judge and learn rows; the verdicts come in their order."""
        return self._watch.observe(rows.keys, *rows.columns, rows.at_s)

    def counts(self) -> dict[str, int]:
        """What was counted since the beginning, by what it is."""
        return {"keys_evicted": self._watch.evicted}

    def parts(self) -> dict[str, Part]:
        """All that has a state, by name."""
        return {"fields": self._fields, "watch": self._watch}

    def state(self) -> State:
        """Everything learnt."""
        return {name: part.state() for name, part in self.parts().items()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        for name, part in self.parts().items():
            inner = state.get(name)
            if not isinstance(inner, Mapping):
                raise StateError(f"the state of a watched stream has no {name!r}")
            part.restore(inner)


S = TypeVar("S", bound=WatchedStream[Any])


class WatchedStreams(ABC, Generic[S]):
    """All streams of a worker, as a ``StatefulHandler`` needs them.

    ``fingerprint`` changes with every setting that the state depends on.
    """

    def __init__(
        self,
        topology: Topology,
        settings: AnomalyWorkerSettings | DriftWorkerSettings,
        lane: Lane,
    ) -> None:
        watched = {name: item.model_dump() for name, item in settings.watch.items()}
        said = repr([settings.detectors.model_dump_json(), watched])
        self.fingerprint = sha256(said.encode()).hexdigest()[:16]
        self._names = tuple(settings.watch)
        self._writes = lane.stream(settings.writes)
        self._schema = topology.streams[settings.writes].schema_name
        self.streams: dict[str, S] = {}
        """The streams, by their names without a lane."""
        self.reset()

    @abstractmethod
    def watched(self, name: str) -> S:
        """A stream of which nothing has been seen yet."""

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Judge and learn a batch; each entry emits what became known by it."""
        return settled_by_stream(batch, self._outputs)

    def counts(self) -> dict[str, dict[str, int]]:
        """What each stream counted since the beginning: by stream, and by what it is."""
        return {name: stream.counts() for name, stream in self.streams.items()}

    def reset(self) -> None:
        """Forget everything."""
        self.streams = {name: self.watched(name) for name in self._names}

    def state(self) -> bytes:
        """The state of all streams, packed."""
        return pack(self.tree())

    def tree(self) -> State:
        """The state of all streams, by their names."""
        return {name: stream.state() for name, stream in self.streams.items()}

    def restore(self, state: bytes) -> None:
        """Continue from packed bytes; raises ValueError when they do not fit."""
        self.restore_tree(unpack(state))

    def restore_tree(self, tree: State) -> None:
        """Continue from what ``tree`` gave; raises StateError when it does not fit."""
        for name, stream in self.streams.items():
            inner = tree.get(name)
            if not isinstance(inner, Mapping):
                raise StateError(f"the state does not know the stream {name!r}")
            stream.restore(inner)

    def output(self, entry: Entry, told: Told) -> Output:
        """What ``entry`` emits of what became known by it."""
        note = finding(told.about, self._schema, told.event)
        fields = [b"data", told.event.model_dump_json().encode(), *carried_on(entry)]
        parents = None if told.about == entry.uid else [told.about, entry.uid]
        return Output(self._writes, fields, note, parents)

    def _outputs(self, stream: str, entries: Sequence[Entry]) -> Iterator[tuple[int, Output]]:
        watched = self.streams[stream]
        for told in watched.told(watched.rows(entries)):
            yield told.row, self.output(entries[told.row], told)


def settled_by_stream(
    batch: Sequence[Entry],
    outputs: Callable[[str, Sequence[Entry]], Iterable[tuple[int, Output]]],
) -> list[Settled]:
    """Settle a batch, stream by stream; ``outputs`` of a stream's entries come with their rows."""
    settled = list(map(Settled, batch))
    begin = 0
    for key, group in groupby(batch, key=attrgetter("stream")):
        entries = list(group)
        for row, output in outputs(bare(key), entries):
            emitting = settled[begin + row]
            emitting.outputs = [*emitting.outputs, output]
        begin += len(entries)
    return settled


def value_at(payload: Payload, path: str) -> Any:
    """What stands at a dotted path of a payload; None where nothing does."""
    value: Any = payload
    for name in _steps(path):
        value = value.get(name) if isinstance(value, dict) else None
    return value


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def key_of(payload: Payload, path: str | None) -> str | None:
    """The value of the key, as text of at most 128 characters; None where there is none."""
    value = value_at(payload, path) if path else None
    return str(value)[:_LONGEST_KEY] or None if isinstance(value, str | int) else None


def keys_of(payloads: Sequence[Payload], path: str | None) -> Sequence[str | None]:
    """The key of each payload, as ``key_of``; nearly all are short texts, and taken as they are."""
    if not path:
        return [None] * len(payloads)
    values: Sequence[Any] = payloads
    for name in _steps(path):
        values = [value.get(name) if isinstance(value, dict) else None for value in values]
    if set(map(type, values)) == {str} and all(
        0 < len(text) <= _LONGEST_KEY for text in set(values)
    ):
        return values
    return [key_of(payload, path) for payload in payloads]


def seconds(places: Words) -> Floats:
    """The times of places, as ``places_of`` gives them: float64 [entries], since the epoch."""
    return places[:, 0].astype(np.float64) / 1000.0
