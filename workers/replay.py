"""``python -m workers.replay``: runs messages through a topology's handlers again, in memory.

The first line of standard input is a ``Request``; each further one is a ``Given`` message. Standard
output gets a JSON object a line: ``{"made": …}`` for each message that a handler made, and
``{"failed": …}`` for each that one could not handle; ``{"error": …}`` where the settings cannot be
used.

It holds no connection, so it changes nothing, and may be killed at any time. The handlers are those
of the installed release and of the author's modules beside the topology file.
"""

import base64
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from graphlib import TopologicalSorter
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from lineage.uid import entry_order
from schemas.topology import Topology
from schemas.topology_file import TopologyError, load_topology
from schemas.topology_graph import edges, readers
from streams.entry import Entry, Output, Settled
from streams.keys import Lane
from workers.errors import Misconfigured
from workers.kinds import build_handler
from workers.originals import Original, matched, parents_of
from workers.own_output import own_output
from workers.rehandle import Again

FIRST_NEW = 10**15
"""Number of the first id that a replay makes; a server's own, within a ms, stay far below."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(_Told):
    """What is to be run again: the topology's file, the key of ROE hashes, what is expected."""

    config: str
    secret: str = ""
    originals: tuple[Original, ...] = ()


class Given(_Told):
    """A message to begin from.

    ``workers`` are those that handle it; None: every reader of its stream. ``context`` says that
    it is there only for the state of the workers that have one.
    """

    stream: str
    id: str
    fields: Annotated[tuple[bytes, ...], Field(description="base64, names and values in turn")]
    workers: tuple[str, ...] | None = None
    context: bool = False

    @property
    def entry(self) -> Entry:
        """The entry that it was."""
        return Entry(self.stream, self.id, [base64.b64decode(field) for field in self.fields])


def replay(
    topology: Topology, request: Request, given: Iterable[Given], secret: bytes = b""
) -> Iterator[dict[str, Any]]:
    """Run the messages through the topology, stream by stream, sources first; say what came of it.

    An output takes the uid of the original that its worker made of the same messages, so that what
    is made of it in turn can be compared as well; one without such an original gets a uid of its
    own.
    """
    side = _Side(request.originals)
    for each in given:
        side.put(each.entry, each.workers, context=each.context)
    lanes = [Lane(index, topology.lanes) for index in range(topology.lanes)]
    again: dict[tuple[str, int], Again] = {}
    for stream in in_order(topology):
        for worker, lane in product(readers(topology, stream), lanes):
            fresh = side.inputs(lane.stream(stream), worker)
            if fresh and stream != topology.lineage:
                place = (worker, lane.index)
                if place not in again:
                    again[place] = Again(build_handler(topology, worker, lane, secret))
                yield from side.run(worker, again[place], fresh)


def in_order(topology: Topology) -> list[str]:
    """The streams, each behind those that the messages on it are made from."""
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(topology.streams, ()))
    for way in edges(topology):
        sorter.add(way.writes, way.reads)
    return list(sorter.static_order())


class _Side:
    """The messages of a replay, apart from the streams; which worker has to handle which."""

    def __init__(self, originals: Iterable[Original]) -> None:
        self._entries: dict[str, dict[str, Entry]] = defaultdict(dict)
        self._for: dict[str, tuple[str, ...] | None] = {}
        self._context: set[str] = set()
        self._originals: dict[str, list[Original]] = defaultdict(list)
        for original in originals:
            self._originals[original.worker].append(original)
        self._expected = {original.uid for each in self._originals.values() for original in each}
        self._made = 0

    def put(
        self, entry: Entry, workers: tuple[str, ...] | None = None, *, context: bool = False
    ) -> None:
        """Add a message, in the place of the context's one of the same uid."""
        uid = entry.uid
        if context and uid in self._for:
            return
        self._entries[entry.stream][uid] = entry
        if context:
            self._context.add(uid)
        else:
            self._context.discard(uid)
            self._for[uid] = workers

    def inputs(self, stream: str, worker: str) -> list[Entry]:
        """What a worker has to handle of a stream's key, in the order of the entries."""
        entries = self._entries[stream]
        mine = (uid for uid in entries if self._is_for(uid, worker))
        return [entries[uid] for uid in sorted(mine, key=entry_order)]

    def _is_for(self, uid: str, worker: str) -> bool:
        if uid not in self._for:
            return False
        wanted = self._for[uid]
        return wanted is None or worker in wanted

    def run(self, worker: str, again: Again, fresh: Sequence[Entry]) -> Iterator[dict[str, Any]]:
        """Let a worker handle messages of one stream, and take its outputs in."""
        touched = {entry.uid for entry in fresh}
        made: list[tuple[Settled, Output]] = []
        for entry, settled in again.handle(self._with_context(fresh) if again.stateful else fresh):
            if not isinstance(settled, Exception):
                outputs = ((settled, output) for output in settled.outputs)
                made += (o for o in outputs if touched & {entry.uid, *parents_of(*o)})
            elif entry.uid in touched:
                error = f"{type(settled).__name__}: {settled}"
                yield {"failed": {"worker": worker, "uid": entry.uid, "error": error}}
        taken = matched(made, self._originals[worker])
        for (settled, output), original in zip(made, taken, strict=True):
            yield {"made": self._take(worker, settled, output, original)}

    def _with_context(self, fresh: Sequence[Entry]) -> list[Entry]:
        """The messages with all that is known of their stream up to the last of them."""
        mine = {entry.uid: entry for entry in fresh}
        last = max(map(entry_order, mine))
        known = self._context - self._expected  # what was to come again, and did not, is gone
        context = (e for uid, e in self._entries[fresh[0].stream].items() if uid in known)
        mine |= {e.uid: e for e in context if entry_order(e.uid) <= last}
        return [mine[uid] for uid in sorted(mine, key=entry_order)]

    def _take(
        self, worker: str, settled: Settled, output: Output, original: Original | None
    ) -> dict[str, Any]:
        if original is not None:
            uid = original.uid
        else:
            self._made += 1
            uid = f"{output.stream}/{settled.entry.at_ms}-{FIRST_NEW + self._made}"
        parents = parents_of(settled, output)
        fields = [*output.fields]
        if parents:
            fields += [b"parents", " ".join(parents).encode()]
        self.put(Entry(output.stream, uid.rpartition("/")[2], fields))
        return {
            "worker": worker,
            "uid": uid,
            "original": original.uid if original else None,
            "trigger": settled.entry.uid,
            "stream": output.stream,
            "parents": parents,
            "fields": [base64.b64encode(field).decode() for field in output.fields],
            "note": dict(output.lineage) if output.lineage is not None else None,
        }


def main() -> None:
    """Replay what standard input says."""
    lines = iter(sys.stdin.buffer)
    request = Request.model_validate_json(next(lines))
    config = Path(request.config)
    sys.path.append(str(config.resolve().parent))  # the author's schemas and functions
    given = (Given.model_validate_json(line) for line in lines)
    secret = base64.b64decode(request.secret)
    with own_output() as out:
        try:
            for said in replay(load_topology(config), request, given, secret):
                out.write(to_json(said) + b"\n")
        except (TopologyError, Misconfigured) as error:
            out.write(to_json({"error": str(error)}) + b"\n")


if __name__ == "__main__":
    main()
