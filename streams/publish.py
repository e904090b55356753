"""Publishing from Python. Any Redis client can do the same with ``XADD``; this adds idempotence.

A message published twice with the same ``id`` yields one entry, within ``remember_s`` seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from pydantic import BaseModel

from schemas.limits import beyond_limits
from schemas.topology import Limits, Topology
from streams.backlog import Sluice, high_waters
from streams.connection import Client
from streams.errors import EntryRefused
from streams.keys import Lane
from streams.replicas import NO_COPIES, Copies
from streams.scripts import run_script
from streams.trace_context import current

_TEXT_FIELDS = ("id", "source", "type", "time", "subject", "traceparent")
_BATCH = 200
_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish: its payload as JSON bytes or an object, and the optional fields.

    ``id`` makes publishing idempotent; the others are carried through to every reader.
    ``traceparent`` is that of the span that is open while it is published, unless it is given.
    """

    data: bytes | str | BaseModel
    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: str | None = None
    subject: str | None = None
    traceparent: str | None = None

    def payload(self) -> bytes:
        """The bytes of ``data``."""
        if isinstance(self.data, BaseModel):
            return self.data.model_dump_json().encode()
        return self.data.encode() if isinstance(self.data, str) else self.data

    def fields(self) -> list[bytes]:
        """The entry's fields, names and values in turn."""
        found = [b"data", self.payload()]
        for name in _TEXT_FIELDS:
            value = getattr(self, name)
            if value is not None:
                found += [name.encode(), str(value).encode()]
        return found


@dataclass(frozen=True, slots=True)
class Published:
    """Where a message is: its uid, and whether it had been published before."""

    uid: str
    duplicate: bool


class Publisher:
    """Publishes to the streams of one topology.

    ``lanes`` as in the topology: a message goes to the lane that a stable hash (CRC-32) of its
    ``subject``, else its ``id``, else its payload chooses. ``limits`` are those of the gate.
    ``marks`` are high-water marks: above them publishing waits, at most ``wait_s``.
    With ``copies`` a message counts as published once so many replicas have it too.
    """

    def __init__(
        self,
        client: Client,
        *,
        lanes: int = 1,
        limits: Limits = _LIMITS,
        remember_s: float = 3600.0,
        marks: Mapping[str, int] | None = None,
        wait_s: float = 30.0,
        copies: Copies = NO_COPIES,
    ) -> None:
        self._client = client
        self._lanes = lanes
        self._limits = limits
        self._remember_ms = int(remember_s * 1000)
        self._sluice = Sluice(client, marks or {})
        self._wait_s = wait_s
        self._copies = copies

    @classmethod
    def of(cls, client: Client, topology: Topology) -> "Publisher":
        """A publisher with the lanes, limits and high-water marks of a topology."""
        return cls(
            client,
            lanes=topology.lanes,
            limits=topology.limits,
            remember_s=topology.delivery.remember_ids,
            marks=high_waters(topology),
        )

    def publish(self, stream: str, message: Outgoing) -> Published:
        """Publish one message; return its uid.

        Raises EntryRefused for a message that no gate would let pass: empty, too large, nested
        too deep, with a field that is too large or no UTF-8. Raises ServerAway when it is
        unknown whether it was published: publish it again with the same ``id``.
        """
        return self.publish_batch(stream, [message])[0]

    def publish_batch(self, stream: str, messages: Iterable[Outgoing]) -> list[Published]:
        """Publish messages in their order; return their uids in the same order.

        All are checked before the first is sent. Each step of some hundred is atomic.

        Raises StreamFull when the stream stays above its high-water mark; what had been
        published before stays published.
        """
        checked = [self._checked(message) for message in self._traced(messages)]
        found: list[Published | None] = [None] * len(checked)
        for index in range(self._lanes):
            chosen = [i for i, m in enumerate(checked) if self._lane_of(m) == index]
            lane = Lane(index, self._lanes)
            for at in range(0, len(chosen), _BATCH):
                part = chosen[at : at + _BATCH]
                self._sluice.pass_through(lane, stream, self._wait_s)
                written = self._send(lane, stream, [checked[i] for i in part])
                for i, published in zip(part, written, strict=True):
                    found[i] = published
        return [published for published in found if published is not None]

    def _traced(self, messages: Iterable[Outgoing]) -> Iterable[Outgoing]:
        now = current()
        if now is None:
            return messages
        return [replace(m, traceparent=m.traceparent or now) for m in messages]

    def _checked(self, message: Outgoing) -> Outgoing:
        try:
            fields = message.fields()
        except UnicodeEncodeError:  # its text quotes the message
            raise EntryRefused("a field of the message cannot be written as UTF-8") from None
        if message.id == "":
            raise EntryRefused("the message's id is empty; leave it out, or give it one")
        fault = beyond_limits(fields, self._limits)
        if fault is not None:
            raise EntryRefused(f"{fault[1]}; the topology's limits are in 'limits'")
        return message

    def _lane_of(self, message: Outgoing) -> int:
        if self._lanes == 1:
            return 0
        key = (message.subject or message.id or "").encode() or message.payload()
        return crc32(key) % self._lanes

    def _send(self, lane: Lane, stream: str, messages: Sequence[Outgoing]) -> list[Published]:
        key = lane.stream(stream)
        keys = [key]
        args: list[int | bytes] = [self._remember_ms]
        for message in messages:
            fields = message.fields()
            if message.id is not None:
                keys.append(lane.seen(key, message.id))
            args += [int(message.id is not None), len(fields), *fields]
        reply = run_script(self._client, "publish", keys, args, self._copies)
        return [Published(f"{key}/{entry_id.decode()}", bool(known)) for entry_id, known in reply]
