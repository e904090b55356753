"""The commit: acknowledge, emit, count, record lineage and checkpoint, in one server-side step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pydantic_core import to_json

from streams.checkpoint import Places
from streams.connection import Client, send
from streams.entry import Settled
from streams.keys import Lane
from streams.lease import Lease
from streams.scripts import Running, run_script


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit did: inputs acknowledged, duplicates among them, outputs emitted.

    Fewer inputs acknowledged than given means that another worker had settled the rest.
    """

    acknowledged: int
    duplicates: int
    emitted: int


class Committing:
    """A commit on its way."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def done(self) -> Committed:
        """Wait until it is done; only once.

        Raises what ``Committer.begin`` says.
        """
        return Committed(*self._running.reply())

    def drop(self) -> None:
        """Leave it open whether it is done."""
        self._running.drop()


_Shape = tuple[str, str, bool, tuple[tuple[str, bool, int, bool], ...]]
"""Stream, outcome, whether an id is remembered; of each output: key, whether lineage wants its id,
how many fields, and whether its input's uid follows them."""


def _shape(settled: Settled) -> _Shape:
    outputs = tuple(
        (
            output.stream,
            output.lineage is not None,
            len(output.fields) + (2 if output.parents else 0),
            output.parents is None,
        )
        for output in settled.outputs
    )
    return settled.entry.stream, settled.outcome, bool(settled.remember), outputs


class Committer:
    """Commits settled batches for one consumer.

    ``author`` is what every lineage record says of its worker (the fields of ``LineageRecord``
    without ``outputs`` and ``at_ms``); ``lineage`` is the bare name of the lineage stream.

    Guarantee: an output is emitted if and only if the acknowledgement of its input succeeded in
    the same step, and that happens once for each input, whoever else holds it.
    """

    def __init__(
        self,
        client: Client,
        lane: Lane,
        group: str,
        lease: Lease,
        *,
        author: Mapping[str, Any],
        lineage: str,
        remember_s: float,
    ) -> None:
        self._client = client
        self._lane = lane
        self._group = group
        self._lease = lease
        self._author = dict(author)
        self._remember_ms = int(remember_s * 1000)
        self._fixed_keys = [
            lease.key,
            lane.counters,
            lane.checkpoint(group),
            lane.positions(group),
            lane.stream(lineage),
        ]

    def commit(
        self,
        batch: Sequence[Settled],
        *,
        at_ms: int,
        checkpoint: bytes = b"",
        behind: Mapping[str, str] | None = None,
    ) -> Committed:
        """Settle a batch, and wait until it is; as ``begin``."""
        return self.begin(batch, at_ms=at_ms, checkpoint=checkpoint, behind=behind).done()

    def begin(
        self,
        batch: Sequence[Settled],
        *,
        at_ms: int,
        checkpoint: bytes = b"",
        behind: Mapping[str, str] | None = None,
    ) -> "Committing":
        """Settle ``batch`` in one step; ``checkpoint`` is a sealed state that contains it.

        What is raised, is raised here or by ``Committing.done``. One commit has to be done before
        the next begins.

        ``behind`` is for a stateful worker: the last entry of each stream key that its state
        contained before this batch. A server that knows of another one has lost or gained
        commits since, as after a failover, and refuses.

        Raises LeaseLost when the lease is not ours or the state is not that of the server,
        ServerAway when it is unknown whether the commit happened; in both cases read state and
        pending entries again before going on.
        """
        keys = list(self._fixed_keys)
        indices: dict[str, int] = {}
        operations = self._operations(batch, keys, indices)
        targets = {indices[o.stream] for s in batch for o in s.outputs}
        args = [
            self._lease.token or "",
            self._group,
            self._record(batch, at_ms),
            checkpoint,
            self._remember_ms,
            int(behind is not None),
            len(targets),
            self._lease.consumer,
            *targets,
            len(behind or ()),
            *chain.from_iterable((behind or {}).items()),
            *operations,
        ]
        return Committing(Running(self._client, "commit", keys, args))

    def _operations(
        self, batch: Sequence[Settled], keys: list[str], indices: dict[str, int]
    ) -> list[Any]:
        """The inputs in runs of the same shape, so that what is alike is said once."""

        def index(key: str) -> int:
            if key not in indices:
                keys.append(key)
                indices[key] = len(keys)
            return indices[key]

        found: list[Any] = []
        shape: _Shape | None = None
        for settled in batch:
            entry, outputs = settled.entry, settled.outputs
            plain = not outputs and not settled.remember
            this = (entry.stream, settled.outcome, False, ()) if plain else _shape(settled)
            if this != shape:
                shape, header = this, len(found)
                found += [index(entry.stream), settled.outcome, 0, int(this[2]), len(outputs)]
                for key, noted, fields, own in this[3]:
                    found += [index(key), int(noted), fields, int(own)]
            found[header + 2] += 1
            found.append(entry.id)
            if plain:
                continue
            if settled.remember:
                found.append(index(self._lane.seen(entry.stream, settled.remember)))
            for output in outputs:
                found += output.fields
                if output.parents:
                    found += [b"parents", " ".join(output.parents)]
        return found

    def _record(self, batch: Sequence[Settled], at_ms: int) -> bytes:
        """The lineage record; outputs in a row that differ in their parents alone share an item."""
        found: list[dict[str, Any]] = []
        stream, note, alike = "", None, list[Sequence[str]]()
        for settled in batch:
            entry = settled.entry
            for output in settled.outputs:
                if output.lineage is None:
                    continue
                parents = output.parents
                if parents is None:
                    parents = (f"{entry.stream}/{entry.id}",)  # its uid, for less
                if output.lineage is note and output.stream == stream:
                    alike.append(parents)
                    continue
                stream, note, alike = output.stream, output.lineage, []
                found.append({"stream": stream, **note, "parents": parents, "alike": alike})
        return to_json({**self._author, "at_ms": at_ms, "outputs": found}) if found else b""

    def positions(self) -> dict[str, str]:
        """The last committed entry of each stream key, of a stateful worker."""
        return self.places().positions

    def places(self) -> Places:
        """Where a stateful worker stands, and what trimming relies on."""
        found: dict[bytes, bytes] = send(self._client, "HGETALL", self._lane.positions(self._group))
        places = Places({}, {})
        kinds = {"position": places.positions, "floor": places.floors}
        for name, entry_id in found.items():
            kind, _, stream = name.decode().partition(":")
            kinds.get(kind, {})[stream] = entry_id.decode()
        return places

    def rewind(self, stream: str, position: str) -> None:
        """Note that a stream key began anew, so that no checkpoint contains anything of it.

        Raises LeaseLost when the lease is not ours.
        """
        keys = [self._lease.key, self._lane.positions(self._group)]
        run_script(self._client, "rewind", keys, [self._lease.token or "", stream, position])

    def checkpoint(self) -> bytes | None:
        """The sealed state as it was last committed, or None."""
        blob: bytes | None = send(self._client, "GET", self._lane.checkpoint(self._group))
        return blob
