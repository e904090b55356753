"""The retained traffic that a baseline is built from or compared with."""

from collections.abc import Callable, Iterable, Iterator

import typer

from schemas.topology import Topology
from schemas.topology_graph import watching
from schemas.uid import id_order
from streams.connection import Client
from streams.entry import Entry
from streams.observe import lanes_of, since, written
from supervisor.lookup import is_uid
from supervisor.moments import seconds_of

_LAST_IN_MS = 2**64 - 1
_TOLD_EVERY = 500


class Traffic:
    """Entries as they are read, lane by lane, oldest first; remembers which they were."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = entries
        self._ends: dict[str, tuple[Entry, Entry]] = {}
        self.n_entries = 0

    def __iter__(self) -> Iterator[Entry]:
        """Read them, once."""
        for entry in self._entries:
            first, _ = self._ends.get(entry.stream, (entry, entry))
            self._ends[entry.stream] = (first, entry)
            self.n_entries += 1
            yield entry

    def told(self, hear: Callable[[int], None]) -> Iterator[Entry]:
        """Read them, once; ``hear`` is told every now and then how many it were so far."""
        for entry in self:
            if self.n_entries % _TOLD_EVERY == 0:
                hear(self.n_entries)
            yield entry

    @property
    def first(self) -> str:
        """The uid of the oldest entry; only after some were read."""
        return min((first for first, _ in self._ends.values()), key=written).uid

    @property
    def last(self) -> str:
        """The uid of the newest entry; only after some were read."""
        return max((last for _, last in self._ends.values()), key=written).uid

    def ends(self) -> list[str]:
        """The uids of the first and the last entry of each lane."""
        return list(dict.fromkeys(entry.uid for pair in self._ends.values() for entry in pair))


def retained(client: Client, topology: Topology, stream: str, from_ms: int) -> Traffic:
    """What is retained of a stream from a time on, in ms since the epoch."""
    before = f"{from_ms - 1}-{_LAST_IN_MS}" if from_ms > 0 else "0-0"
    after = {lane.stream(stream): before for lane in lanes_of(topology)}
    return Traffic(since(client, topology, stream, after))


def patterns_of(topology: Topology, stream: str) -> list[str]:
    """The fields of a stream that workers watch; empty, which means all, where nobody says."""
    looks = [
        worker.watch[stream].fields for _, worker in watching(topology) if stream in worker.watch
    ]
    if not all(looks):
        return []
    return list(dict.fromkeys(pattern for fields in looks for pattern in fields))


def start_ms(said: str | None, now_ms: int) -> int:
    """The time, in ms since the epoch, that ``--since`` names: a span back, or a message's.

    Raises typer.BadParameter for what is neither.
    """
    if said is None:
        return 0
    if is_uid(said):
        return id_order(said)[0]
    try:
        span_s = seconds_of(said)
    except typer.BadParameter as error:
        sentence = f"--since: {error.message}, or give a message's uid"
        raise typer.BadParameter(sentence) from error
    return max(0, now_ms - int(span_s * 1000))
