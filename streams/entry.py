"""An entry of a stream, and what a worker decided about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic_core import from_json

Outcome = Literal["accepted", "rejected", "dead"]
"""What became of an entry: handled, refused at its boundary, or impossible to process."""

ORIGINAL = b"original."
"""Prefix of the fields of a message that is carried, untouched, by a rejection or dead letter."""

PACKED = b"originals"
"""Field that holds all fields of an original as netstrings, where there are very many."""

MOST_FIELDS = 2_000
"""Names and values that one entry may be emitted with; Lua's unpack() ends at some 8,000."""


@dataclass(slots=True)
class Entry:
    """One entry as it was read.

    ``stream`` is its key (with the lane tag), ``fields`` are names and values in turn, as the
    server sent them; ``attempts`` counts deliveries, this one included.
    """

    stream: str
    id: str
    fields: list[bytes]
    attempts: int = 1
    _payload: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def payload(self) -> Any:
        """The JSON of its ``data``, None where there is none; decoded once, and not to be changed.

        Raises ValueError where it is no JSON.
        """
        if self._payload is None:
            fields = self.fields
            data = fields[1] if fields and fields[0] == b"data" else self.get(b"data")
            self._payload = from_json(data) if data else None
        return self._payload

    @property
    def uid(self) -> str:
        """``<stream>/<entry id>``, the message's name for ever."""
        return f"{self.stream}/{self.id}"

    @property
    def at_ms(self) -> int:
        """The time in its id, in milliseconds since the epoch."""
        return int(self.id.partition("-")[0])

    def get(self, name: bytes) -> bytes | None:
        """The first field of that name, or None."""
        fields = self.fields
        for i in range(0, len(fields), 2):
            if fields[i] == name:
                return fields[i + 1]
        return None


@dataclass(slots=True)
class Output:
    """One entry to be emitted: the key it goes to, its fields in turn, its place in lineage.

    ``parents`` are the uids it was derived from, which become its last field; None: the input
    alone, which the commit knows by itself; empty: no field, and no parents.
    ``lineage`` is a ``LineageOutput`` as a mapping without ``stream`` and ``parents``; None leaves
    the output out of the provenance graph. Outputs that are alike should share one mapping.
    """

    stream: str
    fields: list[bytes]
    lineage: Mapping[str, Any] | None = None
    parents: Sequence[str] | None = None


@dataclass(slots=True)
class Settled:
    """An entry, what became of it, and what is emitted if nobody else settled it before.

    ``remember`` is the producer's ``id``: when the entry is accepted, a later entry with the same
    one is dropped as a duplicate; when it is rejected, the id is free again.
    """

    entry: Entry
    outcome: Outcome = "accepted"
    outputs: Sequence[Output] = ()
    remember: str | None = None


def carried(fields: Sequence[bytes]) -> list[bytes]:
    """The fields of an original as a rejection carries them: names prefixed, values untouched.

    An entry of very many fields is packed into one, since a script can emit only so many.

    >>> carried([b"data", b"{}"])
    [b'original.data', b'{}']
    """
    if len(fields) > MOST_FIELDS:
        return [PACKED, b"".join(b"%d:%s," % (len(part), part) for part in fields)]
    return [part if i % 2 else ORIGINAL + part for i, part in enumerate(fields)]


def original(fields: Sequence[bytes]) -> list[bytes]:
    """The fields of the original back from what ``carried`` made.

    >>> original([b"data", b"why", b"original.data", b"{}"])
    [b'data', b'{}']
    """
    found: list[bytes] = []
    for i in range(0, len(fields), 2):
        if fields[i] == PACKED:
            return _unpacked(fields[i + 1])
        if fields[i].startswith(ORIGINAL):
            found += [fields[i][len(ORIGINAL) :], fields[i + 1]]
    return found


def _unpacked(netstrings: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(netstrings):
        colon = netstrings.index(b":", at)
        end = colon + 1 + int(netstrings[at:colon])
        found.append(netstrings[colon + 1 : end])
        at = end + 1
    return found
