"""Rejected messages and dead letters: look at them, release them, drop them.

Releasing brings the untouched original (or a mended payload) back to the stream it came from. A
dead letter is released for its one worker only: every other group had handled it already.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json

from streams.connection import Client, send
from streams.entry import MOST_FIELDS, Entry, original
from streams.errors import EntryRefused, UnknownEntry
from streams.keys import Lane
from streams.scripts import run_script

ONLY_FOR = b"only_for"
"""Field of a released dead letter: the one group that still has to handle it.

It is believed where no producer can write it. On a source that several workers read, all of them
handle a released letter, those too that had handled it before.
"""

_OURS = (b"parents", ONLY_FOR)
_ID = re.compile(r"\d{1,19}(-\d{1,19})?", re.ASCII)
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A quarantined message: the reason (a ``Rejection`` or ``DeadLetter``) and the original.

    ``reason`` is empty for an entry that somebody else wrote there and that gives none.
    """

    entry: Entry
    reason: dict[str, Any]

    @property
    def fields(self) -> list[bytes]:
        """The original's fields, untouched, names and values in turn."""
        return original(self.entry.fields)

    @property
    def data(self) -> bytes:
        """The original's payload; empty where it had none."""
        return Entry("", "", self.fields).get(b"data") or b""


class Quarantine:
    """One quarantine stream over all its lanes. ``stream`` and ``lineage`` are bare names."""

    def __init__(self, client: Client, lanes: int, stream: str, lineage: str) -> None:
        self._client = client
        self._lanes = [Lane(index, lanes) for index in range(lanes)]
        self._stream = stream
        self._lineage = lineage

    def list(self, count: int = 100) -> list[Quarantined]:
        """The newest messages, newest first, at most ``count``."""
        found = [item for lane in self._lanes for item in self._newest(lane, count)]
        found.sort(key=lambda item: item.entry.at_ms, reverse=True)
        return found[:count]

    def _newest(self, lane: Lane, count: int) -> Iterator[Quarantined]:
        key = lane.stream(self._stream)
        reply = send(self._client, "XREVRANGE", key, "+", "-", "COUNT", count)
        for entry_id, fields in reply:
            yield quarantined(Entry(key, entry_id.decode(), fields))

    def walk(self) -> Iterator[Quarantined]:
        """All messages that are there now, lane by lane, oldest first, read page by page.

        What comes while this runs is left out: a message that is released and rejected again is
        not met twice.
        """
        for lane in self._lanes:
            key, start = lane.stream(self._stream), "-"
            end = next((item.entry.id for item in self._newest(lane, 1)), "0")
            while True:
                reply = send(self._client, "XRANGE", key, start, end, "COUNT", _PAGE)
                for entry_id, fields in reply:
                    yield quarantined(Entry(key, entry_id.decode(), fields))
                if len(reply) < _PAGE:
                    break
                start = f"({reply[-1][0].decode()}"

    def size(self) -> int:
        """How many messages there are."""
        return sum(send(self._client, "XLEN", lane.stream(self._stream)) for lane in self._lanes)

    def show(self, uid: str) -> Quarantined:
        """One message by its uid, ``SHRINK/1732100000000-0``, or by the entry id alone.

        Raises UnknownEntry when there is none, or no more.
        """
        return self._find(uid)[1]

    def _find(self, uid: str) -> tuple[Lane, Quarantined]:
        stream, _, entry_id = uid.rpartition("/")
        for lane in self._lanes:
            key = lane.stream(self._stream)
            if stream not in ("", self._stream, key) or not _ID.fullmatch(entry_id):
                continue
            reply = send(self._client, "XRANGE", key, entry_id, entry_id, "COUNT", 2)
            if len(reply) > 1:  # without its number an id names all entries of a millisecond
                raise UnknownEntry(f"{uid!r} names several entries of {key}; give the whole uid")
            if reply:
                return lane, quarantined(Entry(key, reply[0][0].decode(), reply[0][1]))
        raise UnknownEntry(
            f"{self._stream} has no entry {uid!r}; it may have been released or dropped already"
        )

    def release(self, uid: str, author: Mapping[str, Any], data: bytes | None = None) -> str:
        """Bring a message back to its stream and return its new uid.

        ``data`` replaces the payload by a mended one; ``author`` is the lineage record's account
        of who releases (a ``LineageRecord`` without ``outputs``). The message keeps its
        producer's ``id``, so a copy that was accepted meanwhile makes this one a duplicate.

        Raises UnknownEntry when there is no such message, or no more, or when its entry does
        not say which stream it came from; EntryRefused when it has more fields than one step
        can emit.
        """
        lane, found = self._find(uid)
        if not isinstance(found.reason.get("stream"), str):
            raise UnknownEntry(f"{uid} does not say which stream it came from; it can be dropped")
        target = str(found.reason["stream"])
        fields = _released_fields(found, data)
        if len(fields) > MOST_FIELDS:
            raise EntryRefused(
                f"{uid} has {len(fields) // 2:,} fields, more than can be released, and any gate "
                "refuses it; drop it, and publish what is worth keeping anew"
            )
        record = {**author, "outputs": [{"stream": target, "parents": [found.entry.uid]}]}
        keys = [found.entry.stream, target, lane.stream(self._lineage)]
        new_id = run_script(
            self._client, "release", keys, [found.entry.id, to_json(record), *fields]
        )
        if not new_id:
            raise UnknownEntry(f"{uid} was released or dropped by somebody else just now")
        return f"{target}/{new_id.decode()}"

    def drop(self, uid: str) -> None:
        """Remove a message for good.

        Raises UnknownEntry when there is no such message, or no more.
        """
        _, found = self._find(uid)
        if not send(self._client, "XDEL", found.entry.stream, found.entry.id):
            raise UnknownEntry(f"{uid} was released or dropped by somebody else just now")


def _released_fields(found: Quarantined, data: bytes | None) -> list[bytes]:
    kept: list[bytes] = []
    given = found.fields
    for i in range(0, len(given), 2):
        if given[i] not in _OURS and not (data is not None and given[i] == b"data"):
            kept += given[i : i + 2]
    if data is not None:
        kept = [b"data", data, *kept]
    kept += [b"parents", found.entry.uid.encode()]
    if found.reason.get("kind") == "dead_letter":
        kept += [ONLY_FOR, str(found.reason.get("worker", "")).encode()]
    return kept


def quarantined(entry: Entry) -> Quarantined:
    """The quarantined message that an entry of a quarantine stream is."""
    try:
        reason = from_json(entry.get(b"data") or b"{}")
    except ValueError:
        reason = None
    return Quarantined(entry, reason if isinstance(reason, dict) else {})
