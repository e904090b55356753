"""The commit: acknowledge, emit, count, record lineage and checkpoint, in one server-side step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pydantic_core import to_json

from streams.connection import Client, send
from streams.entry import Settled
from streams.keys import Lane
from streams.lease import Lease
from streams.scripts import run_script


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit did: inputs acknowledged, duplicates among them, outputs emitted.

    Fewer inputs acknowledged than given means that another worker had settled the rest.
    """

    acknowledged: int
    duplicates: int
    emitted: int


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
        """Settle ``batch`` in one step; ``checkpoint`` is a sealed state that contains it.

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
            *targets,
            len(behind or ()),
            *chain.from_iterable((behind or {}).items()),
            *operations,
        ]
        return Committed(*run_script(self._client, "commit", keys, args))

    def _operations(
        self, batch: Sequence[Settled], keys: list[str], indices: dict[str, int]
    ) -> list[Any]:
        def index(key: str) -> int:
            if key not in indices:
                keys.append(key)
                indices[key] = len(keys)
            return indices[key]

        found: list[Any] = []
        for settled in batch:
            entry = settled.entry
            seen = self._lane.seen(entry.stream, settled.remember) if settled.remember else None
            outputs: list[Any] = []
            for output in settled.outputs:
                outputs += [index(output.stream), int(output.lineage is not None)]
                outputs += [len(output.fields), *output.fields]
            found += [index(entry.stream), entry.id, settled.outcome]
            found += [index(seen) if seen else 0, len(outputs), *outputs]
        return found

    def _record(self, batch: Sequence[Settled], at_ms: int) -> bytes:
        outputs = [
            {"stream": output.stream, **output.lineage}
            for settled in batch
            for output in settled.outputs
            if output.lineage is not None
        ]
        return to_json({**self._author, "at_ms": at_ms, "outputs": outputs}) if outputs else b""

    def positions(self) -> dict[str, str]:
        """The last committed entry of each stream key, of a stateful worker."""
        places: dict[bytes, bytes] = send(
            self._client, "HGETALL", self._lane.positions(self._group)
        )
        prefix = "position:"
        return {
            name.decode().removeprefix(prefix): value.decode()
            for name, value in places.items()
            if name.decode().startswith(prefix)
        }

    def checkpoint(self) -> bytes | None:
        """The sealed state as it was last committed, or None."""
        blob: bytes | None = send(self._client, "GET", self._lane.checkpoint(self._group))
        return blob
