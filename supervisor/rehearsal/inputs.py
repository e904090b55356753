"""The messages that came in from outside, as long as something retains them, in their order.

A source's own stream is trimmed as soon as its readers are done, so most of its messages are taken
from what the gates made of them: they carry the bytes on as they came, valid or rejected.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from lineage.uid import bare_stream, entry_order
from schemas.topology import Topology
from schemas.topology_graph import readers
from schemas.topology_workers import GateSettings, TransformSettings
from schemas.uid import id_order
from streams.around import forwards
from streams.connection import Client, send
from streams.entry import Entry, original
from streams.errors import GroupMissing
from streams.observe import lanes_of, reach_ms
from streams.quarantine import quarantined
from supervisor.replay.retained import carried

_WINDOW = 5_000
"""How far a message may be from its place: gates of several processes carry on out of order."""

_NEVER_MS = 2**63


@dataclass(frozen=True, slots=True)
class Source:
    """A stream that producers write: the messages from ``from_ms`` on are all retained.

    ``asked_ms`` is from when on they were asked for; ``own_ms`` from when on its own stream has
    them all.
    """

    name: str
    asked_ms: int
    from_ms: int
    own_ms: int

    @property
    def cut(self) -> bool:
        """Whether less is retained than was asked for."""
        return self.from_ms > self.asked_ms

    @property
    def gone(self) -> bool:
        """Whether messages that were asked for came, and none of them can be told any more."""
        return self.from_ms >= _NEVER_MS


@dataclass(slots=True)
class Inputs:
    """The retained messages of a topology's sources, and of ``more`` streams that it has not.

    Those that the topology's own workers wrote there are left out: they are made again.
    """

    client: Client
    topology: Topology
    since_ms: int
    more: Collection[str] = ()
    sources: dict[str, Source] = field(init=False)

    def __post_init__(self) -> None:
        ours = [name for name, stream in self.topology.streams.items() if stream.source]
        self.sources = {name: self._source(name) for name in dict.fromkeys((*ours, *self.more))}

    def _source(self, name: str) -> Source:
        own_ms = reach_ms(self.client, self.topology, name)
        ways = [own_ms]
        for gate in self._gates(name).values():
            ways.append(reach_ms(self.client, self.topology, gate.routes[name], _parent_ms))
        from_ms = max(self.since_ms, min(ways))
        if from_ms >= _NEVER_MS and self._last_ms(name) < self.since_ms:
            from_ms = self.since_ms  # whatever is gone was not asked for
        return Source(name, self.since_ms, from_ms, own_ms)

    def _last_ms(self, stream: str) -> int:
        """When the newest message of a stream came, retained or not; -1 where none ever did."""
        return max(_last_ms(self.client, lane.stream(stream)) for lane in lanes_of(self.topology))

    def _gates(self, stream: str) -> dict[str, GateSettings]:
        found = ((name, self.topology.workers[name]) for name in readers(self.topology, stream))
        return {name: gate for name, gate in found if isinstance(gate, GateSettings)}

    def messages(self) -> Iterator[Entry]:
        """Each message once, in the order of the ids; of two copies the source's own comes."""
        own = [self._read(name) for name in self.sources]
        made = [_in_order(self._originals(name)) for name in self._carriers()]
        seen: set[str] = set()
        for entry in heapq.merge(*own, *made, key=_order):
            source = self.sources[bare_stream(entry.stream)[0]]
            if entry.at_ms < source.from_ms or self._is_ours(source.name, entry):
                continue
            if entry.at_ms >= source.own_ms:  # its own stream has it too, or had it just now
                if entry.uid in seen:
                    continue
                seen.add(entry.uid)
            yield entry

    def _read(self, stream: str) -> Iterator[Entry]:
        return forwards(self.client, self.topology, stream, self.since_ms)

    def _carriers(self) -> Iterable[str]:
        gates = [(n, gate) for n in self.sources for gate in self._gates(n).values()]
        routed, rejected = [g.routes[n] for n, g in gates], [g.rejects_to for _, g in gates]
        return dict.fromkeys((*routed, *rejected, self.topology.dead_letters))

    def _originals(self, stream: str) -> Iterator[Entry]:
        """The messages of sources that the entries of a stream carry on."""
        for made in self._read(stream):
            reason = quarantined(made).reason
            uid = str(reason.get("message", "")) or _parent(made)
            source = bare_stream(uid.rpartition("/")[0])[0]
            gates = self._gates(source) if source in self.sources else {}
            if stream == self.topology.dead_letters:
                if reason.get("worker") in gates:  # of what others gave up the gate made something
                    key, _, entry_id = uid.rpartition("/")
                    yield Entry(key, entry_id, original(made.fields))
                continue
            found = (carried(gate, uid, made) for gate in gates.values())
            yield from (entry for entry in found if entry is not None)

    def _is_ours(self, stream: str, entry: Entry) -> bool:
        """Whether a worker of the topology wrote the message, which is made again then."""
        who = (entry.get(b"source") or b"").decode(errors="replace").removeprefix("penstock/")
        settings = self.topology.workers.get(who)
        return isinstance(settings, TransformSettings) and stream in settings.writes


def notes(sources: Mapping[str, Source]) -> Iterator[str]:
    """What a reader must know of where the messages come from, a sentence each."""
    from supervisor.tables import local_time

    for source in sources.values():
        if source.gone:
            yield f"of {source.name} nothing is retained; its messages are left out"
        elif source.cut:
            yield f"of {source.name} only what came after {local_time(source.from_ms)} is retained"


def _last_ms(client: Client, key: str) -> int:
    try:
        last_id: bytes = send(client, "XINFO STREAM", key)["last-generated-id"]
    except GroupMissing:
        return -1  # the stream does not exist yet
    return id_order(last_id.decode())[0]


def _parent_ms(entry: Entry) -> int:
    return entry_order(_parent(entry) or entry.uid)[0]


def _parent(entry: Entry) -> str:
    """The message that a gate's output was made of; empty where it names none."""
    named = (entry.get(b"parents") or b"").decode(errors="replace").split()
    return next(iter(named), "")


def _order(entry: Entry) -> tuple[int, int, str]:
    return entry_order(entry.uid)


def _in_order(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries that are near their places, in their places."""
    heap: list[tuple[tuple[int, int, str], int, Entry]] = []
    numbers = count()
    for entry in entries:
        heapq.heappush(heap, (_order(entry), next(numbers), entry))
        if len(heap) > _WINDOW:
            yield heapq.heappop(heap)[-1]
    while heap:
        yield heapq.heappop(heap)[-1]
