"""Baselines beside the loop: a stream gets its first one, and detectors hear of those set since.

Whatever reads the clock or a key beside the streams would make events depend on more than these.
So what is heard here changes no detector at once: the loop takes it over with a checkpoint, in the
same step, and a worker that is killed comes back either before both or behind both.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from detectors.state import State
from detectors.state_reader import StateReader
from lineage.uid import entry_order
from schemas.baseline import Baseline, FieldBaseline
from schemas.topology_workers import DetectWorkerSettings, DriftWorkerSettings
from streams.baselines import Baselines, Version
from streams.entry import Entry
from streams.errors import ServerAway, StreamsError
from streams.keys import Lane
from workers.baselines import packed, sketched
from workers.pulse import Pulse
from workers.standing import Standing
from workers.station import Station

WARM_UP = 1000
"""Messages that a stream has to have, and of which its first baseline is built: the oldest."""

_EVERY_S = 2.0
_FIRST_EVERY_S = 10.0  # it has to read messages to see whether there are enough
_MOST_FIELDS = 256
_NOTE = "the first, set by the worker itself after the warm-up"


class Followed:
    """The newest version of a stream's baselines that its detectors have taken over.

    The state of a worker that begins with nothing takes over what there is, whatever it is.
    """

    def __init__(self) -> None:
        self._version: int | None = None

    def take(self, baseline: Baseline | None) -> frozenset[str]:
        """Take over a version; the fields whose baseline somebody has set since the last one."""
        before, self._version = self._version, baseline.version if baseline else 0
        if before is None or baseline is None:
            return frozenset()
        if baseline.version < before:  # the key was deleted, and versions began anew
            before = 0
        set_since = {n: f for n, f in baseline.fields.items() if f.set_in > before}
        return frozenset(name for name, field in set_since.items() if not field.learnt)

    def state(self) -> State:
        """Return the version."""
        return {"version": -1 if self._version is None else self._version}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        version = StateReader(state, "Followed").integer("version", low=-1)
        self._version = None if version < 0 else version


@runtime_checkable
class Heeding(Protocol):
    """A handler that judges by what is normal, and hears what somebody has called that."""

    def heed(self, stream: str, baseline: Baseline | None) -> None:
        """Note the newest baselines of a stream; None where there are none."""
        ...


class Baselining:
    """Looks every two seconds whether the streams that a worker watches have new baselines.

    Where a stream never had any, it gets its first once it has ``WARM_UP`` messages; of a worker's
    processes the one with the first lane makes it, and if several workers watch the stream, who is
    first. A failure is logged once, and tried again.
    """

    def __init__(
        self,
        station: Station,
        handler: Heeding,
        standing: Standing,
        log: Any,
        *,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        assert isinstance(station.settings, DriftWorkerSettings | DetectWorkerSettings)
        topology = station.topology
        self._station = station
        self._handler = handler
        self._standing = standing
        self._log = log
        self._now_s = now_s
        self._monotonic_s = monotonic_s
        self._watch = station.settings.watch
        self._stored = {
            name: Baselines(station.client, topology.lanes, name, topology.lineage)
            for name in self._watch
        }
        names = ("worker", "worker_kind", "worker_version", "host", "run")
        self._author = {name: station.author[name] for name in names}
        self._known: dict[str, Version] = {}
        self._first_due_s = dict.fromkeys(self._watch, float("-inf"))
        self._said: dict[str, str] = {}
        self._due_s = float("-inf")
        self._pulse = Pulse("baselining", self._turn)

    def start(self) -> None:
        """Look once, if the loop runs already, and go on in the thread."""
        self._pulse.start()

    def stop(self) -> None:
        """End the thread."""
        self._pulse.stop()

    def _turn(self) -> None:
        now_s = self._monotonic_s()
        if self._standing.state == "running" and now_s >= self._due_s:
            self._due_s = now_s + _EVERY_S
            self.once()

    def once(self) -> None:
        """Look at every stream."""
        for stream, stored in self._stored.items():
            try:
                self._look(stream, stored)
            except ServerAway:
                return  # the loop meets the same outage, waits it out and says so once
            except StreamsError as error:
                self._tell(stream, str(error))

    def _tell(self, stream: str, error: str) -> None:
        if error != self._said.get(stream):
            self._said[stream] = error
            self._log.warning("baselines_not_followed", stream=stream, error=error)

    def _look(self, stream: str, stored: Baselines) -> None:
        newest = stored.newer_than(self._known.get(stream))
        if newest is None and stream not in self._known:
            newest = self._first(stream, stored)
        if newest is not None:
            self._known[stream] = newest
        known = self._known.get(stream)
        self._handler.heed(stream, known.baseline if known else None)

    def _first(self, stream: str, stored: Baselines) -> Version | None:
        """Set the first baseline where it is time, and ours to do."""
        now_s = self._monotonic_s()
        if self._station.lane.index > 0 or now_s < self._first_due_s[stream]:
            return None
        self._first_due_s[stream] = now_s + _FIRST_EVERY_S
        entries = self._oldest(stream)
        if len(entries) < WARM_UP:
            return None
        payloads = (entry.get(b"data") or b"" for entry in entries)
        found = sketched(payloads, self._watch[stream].fields)
        if not found:
            return None
        first, last = entries[0].uid, entries[-1].uid
        fields = {
            name: FieldBaseline(first=first, last=last, set_in=1, learnt=True, **packed(sketch))
            for name, sketch in sorted(found.items())[:_MOST_FIELDS]
        }
        made = self._version(stream, fields)
        version = stored.append(None, made, {**self._author, "at_ms": made.at_ms}, [first, last])
        self._log.info("first_baseline_set", stream=stream, fields=len(fields))
        return version

    def _version(self, stream: str, fields: dict[str, FieldBaseline]) -> Baseline:
        return Baseline(
            stream=stream,
            version=1,
            change="set",
            changed=tuple(fields),
            by=f"{self._station.worker} ({self._station.holder})"[:128],
            at_ms=int(self._now_s() * 1000),
            note=_NOTE,
            fields=fields,
        )

    def _oldest(self, stream: str) -> Sequence[Entry]:
        """The oldest retained messages of all lanes, in their order; at most ``WARM_UP``."""
        n_lanes, found = self._station.topology.lanes, list[Entry]()
        for index in range(n_lanes):
            key = Lane(index, n_lanes).stream(stream)
            found += self._station.reader.between(key, "-", "+", WARM_UP)
        return sorted(found, key=lambda entry: entry_order(entry.uid))[:WARM_UP]
