"""``python -m workers.rehearse``: runs retained messages through a topology's workers, in memory.

The first line of standard input is a ``Request``; each further one is a ``Given`` message, in the
order of the ids. Standard output gets a JSON object a line: ``{"done": …}``, how many messages were
handled so far; ``{"said": …}`` for each rejection, dead letter and event; at the end ``{"tally":
…}``. ``{"problems": […]}`` stands there alone where the topology cannot be used.

It holds no connection, so it changes nothing, and may be killed at any time.
"""

import base64
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from lineage.uid import entry_order
from schemas.topology import Topology
from schemas.topology_file import TopologyError, load_topology
from schemas.topology_graph import readers
from schemas.topology_workers import LineageWorkerSettings
from streams.entry import Entry, Output, Settled
from streams.keys import Lane, bare
from workers.errors import Misconfigured
from workers.kinds import build_handler
from workers.originals import parents_of
from workers.own_output import own_output
from workers.rehandle import Again
from workers.remembered import Remembered
from workers.replay import FIRST_NEW, Given, Request, in_order

_CHUNK = 500


class Sent(NamedTuple):
    """A message on its way: the uid of the given one that it stems from, and whether it counts."""

    entry: Entry
    origin: str
    counts: bool


class Rehearsal:
    """The workers of a topology, fed by each other in memory.

    A stream's messages are handled in the order of their ids; what a worker makes has the time of
    the message that it was made at, and comes behind the given ones of the same millisecond. So
    how the messages come in chunks changes nothing.

    Raises Misconfigured where a worker cannot be built, whether messages come for it or not.
    """

    def __init__(self, topology: Topology, secret: bytes = b"") -> None:
        self._topology = topology
        self._streams = in_order(topology)
        self._lanes = {lane.tag: lane for lane in map(self._lane, range(topology.lanes))}
        self._again = {
            (worker, lane.tag): Again(build_handler(topology, worker, lane, secret))
            for worker, settings in topology.workers.items()
            for lane in self._lanes.values()
            if not isinstance(settings, LineageWorkerSettings)
        }
        self._seen: dict[str, Remembered] = defaultdict(
            lambda: Remembered(topology.delivery.remember_ids)
        )
        self._waiting: dict[str, list[Sent]] = defaultdict(list)
        self._made = 0
        self.tally: Counter[tuple[str, str, str]] = Counter()

    def _lane(self, index: int) -> Lane:
        return Lane(index, self._topology.lanes)

    def run(self, given: Iterable[Given]) -> Iterator[dict[str, Any]]:
        """Handle all messages; say what became of those that count, and how many are done."""
        done = 0
        for chunk in _chunks(given):
            for each in chunk:
                entry = each.entry
                if bare(entry.stream) in self._topology.streams:
                    sent = Sent(entry, entry.uid, not each.context)
                    self._waiting[entry.stream].append(sent)
            for said in self._pass():
                yield {"said": said}
            done += len(chunk)
            yield {"done": done}

    def told(self) -> list[dict[str, Any]]:
        """How many messages of each worker, of each stream, had which outcome or were emitted."""
        rows = sorted(self.tally.items())
        return [{"worker": w, "stream": s, "what": what, "n": n} for (w, s, what), n in rows]

    def _pass(self) -> Iterator[dict[str, Any]]:
        """Let everything that waits flow down, stream by stream, the sources first."""
        for stream in self._streams:
            for lane in self._lanes.values():
                fresh = self._waiting.pop(lane.stream(stream), [])
                fresh.sort(key=lambda sent: entry_order(sent.entry.uid))
                for worker in readers(self._topology, stream) if fresh else ():
                    settings = self._topology.workers[worker]
                    if not isinstance(settings, LineageWorkerSettings):
                        yield from self._handle(worker, lane, fresh)

    def _handle(self, worker: str, lane: Lane, fresh: Sequence[Sent]) -> Iterator[dict[str, Any]]:
        of = {sent.entry.uid: sent for sent in fresh}
        again = self._again[worker, lane.tag]
        for entry, settled in again.handle([sent.entry for sent in fresh]):
            yield from self._settle(worker, of[entry.uid], settled)

    def _settle(
        self, worker: str, sent: Sent, settled: Settled | Exception
    ) -> Iterator[dict[str, Any]]:
        stream = bare(sent.entry.stream)
        told = {"worker": worker, "uid": sent.origin, "stream": stream}
        if isinstance(settled, Exception):
            self._count(sent, worker, stream, "dead")
            if sent.counts:
                yield told | {"what": "dead", "about": [type(settled).__name__]}
            return
        if self._is_duplicate(settled):
            self._count(sent, worker, stream, "duplicate")
            return
        self._count(sent, worker, stream, settled.outcome)
        for output in settled.outputs:
            self._count(sent, worker, stream, f"to {bare(output.stream)}")
            if sent.counts and "finding" in (output.lineage or ()):
                yield told | _finding(output)
            self._send_on(sent, settled, output)

    def _is_duplicate(self, settled: Settled) -> bool:
        if settled.remember is None:
            return False
        return self._seen[settled.entry.stream].is_duplicate(settled)

    def _count(self, sent: Sent, worker: str, stream: str, what: str) -> None:
        self.tally[worker, stream, what] += sent.counts

    def _send_on(self, sent: Sent, settled: Settled, output: Output) -> None:
        if not readers(self._topology, bare(output.stream)):
            return
        self._made += 1
        fields, parents = [*output.fields], parents_of(settled, output)
        if parents:
            fields += [b"parents", " ".join(parents).encode()]
        entry = Entry(output.stream, f"{sent.entry.at_ms}-{FIRST_NEW + self._made}", fields)
        self._waiting[output.stream].append(Sent(entry, sent.origin, sent.counts))


def _finding(output: Output) -> dict[str, Any]:
    """What a rejection or an event is, by which another topology's is the same or not."""
    found = from_json(output.fields[1])
    if found["kind"] == "rejection":
        first = found["violations"][0]
        return {"what": "rejected", "about": [first["path"] or "message", first["rule"]]}
    return {"what": "event", "about": [found["kind"], found["field"], found["severity"]]}


def _chunks(given: Iterable[Given]) -> Iterator[list[Given]]:
    """Messages in parts; those of a millisecond stay together, for what they lead to has it too."""
    chunk: list[Given] = []
    for each in given:
        if len(chunk) >= _CHUNK and each.entry.at_ms != chunk[-1].entry.at_ms:
            yield chunk
            chunk = []
        chunk.append(each)
    yield chunk


def main() -> None:
    """Rehearse with what standard input says."""
    lines = iter(sys.stdin.buffer)
    request = Request.model_validate_json(next(lines))
    config = Path(request.config)
    sys.path.append(str(config.resolve().parent))  # the author's schemas and functions
    given = (Given.model_validate_json(line) for line in lines)
    with own_output() as out:
        try:
            rehearsal = Rehearsal(load_topology(config), base64.b64decode(request.secret))
            for said in rehearsal.run(given):
                out.write(to_json(said) + b"\n")
                if "done" in said:
                    out.flush()
            out.write(to_json({"tally": rehearsal.told()}) + b"\n")
        except TopologyError as error:
            out.write(to_json({"problems": error.problems}) + b"\n")
        except Misconfigured as error:
            out.write(to_json({"problems": [str(error)]}) + b"\n")


if __name__ == "__main__":
    main()
