"""What the anomaly and the drift worker share: streams as columns, keys, and state.

Each stream is watched apart, so the order of entries across streams does not matter.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any, Generic

from pydantic_core import from_json

from detectors.fields import FieldTable
from detectors.state import State, StateError, pack, unpack
from detectors.watch import KeyedWatch
from detectors.watch.verdicts import V, Watch
from schemas.detector_settings import FieldSettings
from schemas.topology import AnomalyWorkerSettings, DriftWorkerSettings, Topology, Watched
from streams.entry import Entry, Output, Settled
from streams.keys import Lane, bare


class WatchedStream(Generic[V]):
    """One stream: which fields it has, and a watch for each value of its key."""

    def __init__(self, watched: Watched, make: Callable[[], Watch[V]], max_keys: int) -> None:
        self._path = watched.key.split(".") if watched.key else None
        self._fields = FieldTable(FieldSettings(patterns=watched.fields or None))
        self._watch: KeyedWatch[V] = KeyedWatch(make, max_keys)

    def observe(self, entries: Sequence[Entry]) -> list[tuple[Entry, str | None, V]]:
        """Judge and learn entries; the flagged ones with their key and verdict, in their order.

        A payload that is no JSON object has no fields; one that is no JSON raises ValueError.
        """
        payloads = [from_json(entry.get(b"data") or b"null") for entry in entries]
        payloads = [payload if isinstance(payload, dict) else {} for payload in payloads]
        keys = [self._key(payload) for payload in payloads]
        columns = self._fields.columns(payloads)
        found = self._watch.observe(keys, columns.names, columns.x)
        return [(entries[verdict.row], keys[verdict.row], verdict) for verdict in found]

    def _key(self, payload: Mapping[str, Any]) -> str | None:
        if self._path is None:
            return None
        value: Any = payload
        for name in self._path:
            value = value.get(name) if isinstance(value, dict) else None
        return str(value)[:128] or None if isinstance(value, str | int) else None

    def state(self) -> State:
        """Everything learnt."""
        return {"fields": self._fields.state(), "watch": self._watch.state()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        for name, part in (("fields", self._fields), ("watch", self._watch)):
            inner = state.get(name)
            if not isinstance(inner, Mapping):
                raise StateError(f"the state of a watched stream has no {name!r}")
            part.restore(inner)


class WatchedStreams(ABC, Generic[V]):
    """All streams of a worker, as a ``StatefulHandler`` needs them; ``make`` makes a key's watch.

    ``fingerprint`` changes with every setting that the state depends on.
    """

    def __init__(
        self,
        topology: Topology,
        settings: AnomalyWorkerSettings | DriftWorkerSettings,
        lane: Lane,
        make: Callable[[], Watch[V]],
    ) -> None:
        watched = {name: item.model_dump() for name, item in settings.watch.items()}
        said = repr([settings.detectors.model_dump_json(), watched])
        self.fingerprint = sha256(said.encode()).hexdigest()[:16]
        self._watched = settings.watch
        self._make: Callable[[], Watch[V]] = make
        self._max_keys = settings.detectors.max_keys
        self._writes = lane.stream(settings.writes)
        self._schema = topology.streams[settings.writes].schema_name
        self.reset()

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Judge and learn a batch; each flagged entry emits what was found in it."""
        found: dict[str, list[Output]] = {}
        for stream, entries in groupby(batch, key=lambda entry: bare(entry.stream)):
            for entry, key, verdict in self._streams[stream].observe(list(entries)):
                found.setdefault(entry.uid, []).append(self.output(entry, key, verdict))
        if not found:
            return [Settled(entry) for entry in batch]
        return [Settled(entry, outputs=found.get(entry.uid, [])) for entry in batch]

    @abstractmethod
    def output(self, entry: Entry, key: str | None, verdict: V) -> Output:
        """The event that tells of a verdict about an entry."""

    def reset(self) -> None:
        """Forget everything."""
        self._streams: dict[str, WatchedStream[V]] = {
            name: WatchedStream(item, self._make, self._max_keys)
            for name, item in self._watched.items()
        }

    def state(self) -> bytes:
        """The state of all streams, packed."""
        return pack({name: stream.state() for name, stream in self._streams.items()})

    def restore(self, state: bytes) -> None:
        """Continue from packed bytes; raises ValueError when they do not fit."""
        tree = unpack(state)
        for name, stream in self._streams.items():
            inner = tree.get(name)
            if not isinstance(inner, Mapping):
                raise StateError(f"the state does not know the stream {name!r}")
            stream.restore(inner)
