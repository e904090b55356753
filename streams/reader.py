"""Reading for a consumer group: new entries, those left pending, and those of the dead."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from streams.connection import Client, longest_wait_s, send
from streams.entry import Entry
from streams.errors import GroupMissing, StreamsError
from streams.groups import group_rows, name_of
from streams.in_flight import InFlight
from streams.keys import Lane
from streams.lease import Lease
from streams.scripts import Running, run_script


@dataclass(frozen=True, slots=True)
class Claim:
    """Which pending entries to take: at most ``count`` with ids from ``start`` to ``end``.

    Entries delivered more than ``alone_beyond`` times come one at a time; those whose ids are in
    ``but`` are left. ``counted`` False leaves their delivery counter as it is: the worker was away
    from its server, but never died. Those delivered least come first, unless ``ordered``.
    """

    count: int
    alone_beyond: int = 0
    start: str = "-"
    end: str = "+"
    counted: bool = True
    ordered: bool = False
    but: Collection[str] = ()


class Reader:
    """One consumer of one group over all the streams that its worker reads on one lane.

    ``streams`` are bare names. No method waits longer than ``block_s`` plus one round trip.
    """

    def __init__(
        self, client: Client, lane: Lane, group: str, consumer: str, streams: Iterable[str]
    ) -> None:
        self.keys = [lane.stream(name) for name in streams]
        self._client = client
        self._lane = lane
        self._group = group
        self._consumer = consumer
        self._longest_s = longest_wait_s(client)

    def ensure_groups(self, positions: Mapping[str, str] | None = None) -> list[str]:
        """Create the group on every stream that lacks it; return the keys where it was missing.

        A new group starts at the oldest entry, or behind the last one that ``positions`` says it
        had committed, if the stream ever came that far: one that was deleted begins anew.
        """
        missing = []
        for key in self.keys:
            if self._create(key, self._start(key, (positions or {}).get(key))):
                missing.append(key)
        return missing

    def _start(self, key: str, position: str | None) -> str:
        if position is None:
            return "0"
        try:
            last = send(self._client, "XINFO STREAM", key)["last-generated-id"].decode()
        except GroupMissing:
            return "0"
        return position if _order(position) <= _order(last) else "0"

    def _create(self, key: str, start: str) -> bool:
        """Create the group where it is missing; whether it was."""
        try:
            send(self._client, "XGROUP CREATE", key, self._group, start, "MKSTREAM")
        except StreamsError as error:
            if "BUSYGROUP" not in str(error):
                raise
            return False
        return True

    def read(self, count: int, block_s: float) -> list[Entry]:
        """New entries, at most ``count`` a stream, oldest first within a stream.

        Waits up to ``block_s`` seconds where there is none.

        Raises GroupMissing, LeaseLost, ServerAway, ServerRefused.
        """
        return _entries(self._read_group(count, block_s))

    def begin(self, count: int) -> "Reading":
        """Ask for new entries, as ``read``, waiting for none; they are fetched later."""
        return Reading(self._ask(count), self._taken)

    def _ask(self, count: int) -> InFlight | Running:
        return InFlight(
            self._client, "XREADGROUP", "GROUP", self._group, self._consumer, "COUNT", count,
            "STREAMS", *self.keys, *(">" for _ in self.keys),
        )  # fmt: skip

    def _taken(self, entries: list[Entry]) -> None:
        """Note what was read."""

    def _read_group(self, count: int, block_s: float) -> Any:
        return send(
            self._client, "XREADGROUP", "GROUP", self._group, self._consumer, "COUNT", count,
            "BLOCK", self._block_ms(block_s), "STREAMS", *self.keys, *(">" for _ in self.keys),
        )  # fmt: skip

    def _block_ms(self, block_s: float) -> int:
        return max(1, int(min(block_s, self._longest_s) * 1000))

    def claim(self, other: str, key: str, claim: Claim) -> tuple[int, list[Entry]]:
        """Take pending entries of ``other``: a consumer without a lease, or ourselves.

        Returns how many pending entries were seen, but for those left, and those claimed. The name
        of another consumer that has none pending is removed in the same step.

        Raises LeaseLost where the lane has to be owned alone and is not ours.
        """
        fence, token = self._fenced_by()
        keys = [key, self._lane.lease(self._group, other), *fence]
        args = [
            self._group, other, self._consumer,
            claim.count, claim.alone_beyond, claim.start, claim.end, int(claim.counted),
            int(claim.ordered), token, *claim.but,
        ]  # fmt: skip
        seen, claimed = run_script(self._client, "claim", keys, args)
        entries = [
            Entry(key, entry_id.decode(), fields, attempts)
            for entry_id, attempts, fields in claimed
            if fields
        ]
        return seen, entries

    def claim_one(self, key: str, entry_id: str) -> Entry | None:
        """Take one of our own pending entries for its next attempt; None if it is settled."""
        _, entries = self.claim(self._consumer, key, Claim(count=1, start=entry_id, end=entry_id))
        return entries[0] if entries else None

    def has_pending(self, but: Collection[str] = ()) -> bool:
        """Whether anything is pending for us, but for these ids; of whatever is in hand too."""
        asked = [self._group, "-", "+", len(but) + 1, self._consumer]
        found = (row for key in self.keys for row in send(self._client, "XPENDING", key, *asked))
        return any(row[0].decode() not in but for row in found)

    def give_back(self, but: Collection[str] = ()) -> None:
        """Take back the attempts of what is still pending for us, because we end unharmed.

        Those that raised keep theirs: their ids are in ``but``.
        """
        fence, token = self._fenced_by()
        for key in self.keys:
            start, who = "-", [self._group, self._consumer]
            while last := run_script(
                self._client, "give_back", [key, *fence], [*who, start, token, *but]
            ):
                start = f"({last.decode()}"

    def _fenced_by(self) -> tuple[list[str], str]:
        """The key of the lease that we need to take something, and our token; none, and empty,
        where many may read side by side.
        """
        return [], ""

    def others(self, key: str) -> list[str]:
        """The other consumers of the group on a stream whose lease has run out."""
        reply: list[dict[str, Any]] = send(self._client, "XINFO CONSUMERS", key, self._group)
        names = [name_of(item["name"]) for item in reply]
        leases = [self._lane.lease(self._group, name) for name in names]
        alive = [bool(send(self._client, "EXISTS", lease)) for lease in leases]
        return [n for n, a in zip(names, alive, strict=True) if not a and n != self._consumer]

    def delivered(self) -> dict[str, str]:
        """The id that the group was delivered last, of each stream key where it exists.

        Raises GroupMissing for a stream that does not exist.
        """
        found = {}
        for key in self.keys:
            for row in group_rows(self._client, key):
                if row["name"] == self._group.encode():
                    found[key] = row["last-delivered-id"].decode()
        return found

    def between(self, key: str, after: str, upto: str, count: int) -> list[Entry]:
        """Retained entries with ``after < id <= upto``, oldest first, at most ``count``."""
        start = "-" if after == "-" else f"({after}"
        reply = send(self._client, "XRANGE", key, start, upto, "COUNT", count)
        return [Entry(key, entry_id.decode(), fields) for entry_id, fields in reply]


class Reading:
    """New entries on their way."""

    def __init__(self, asked: InFlight | Running, taken: Callable[[list[Entry]], object]) -> None:
        self._asked = asked
        self._taken = taken

    def entries(self) -> list[Entry]:
        """Wait for them; only once. Raises what ``Reader.read`` raises."""
        found = _entries(self._asked.reply())
        self._taken(found)
        return found

    def drop(self) -> None:
        """Give them up: whoever was sent some has them pending."""
        self._asked.drop()


class OwnerReader(Reader):
    """Reads for a group whose lane one consumer owns alone: every read is fenced by its lease."""

    def __init__(
        self, client: Client, lane: Lane, group: str, lease: Lease, streams: Iterable[str]
    ) -> None:
        super().__init__(client, lane, group, lease.consumer, streams)
        self._lease = lease
        self._last = dict.fromkeys(self.keys, "0")

    def read(self, count: int, block_s: float) -> list[Entry]:
        """As ``Reader.read``; raises LeaseLost, and takes nothing, once the lease is another's."""
        entries = self._fenced(count)
        if not entries and self._wait(block_s):
            entries = self._fenced(count)
            if not entries:  # what woke us had been delivered before this process started
                self._last = dict.fromkeys(self.keys, "0") | self.delivered()
        self._taken(entries)
        return entries

    def _taken(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._last[entry.stream] = entry.id

    def _fenced_by(self) -> tuple[list[str], str]:
        return [self._lease.key], self._lease.token or "none"

    def _ask(self, count: int) -> Running:
        return Running(self._client, "read", [self._lease.key, *self.keys], self._fence(count))

    def _fence(self, count: int) -> list[Any]:
        return [self._lease.token or "", self._group, self._consumer, count]

    def _fenced(self, count: int) -> list[Entry]:
        keys = [self._lease.key, *self.keys]
        return _entries(run_script(self._client, "read", keys, self._fence(count)))

    def _wait(self, block_s: float) -> bool:
        """Wait for an entry that is newer than the last one read; takes none."""
        reply = send(
            self._client, "XREAD", "COUNT", 1, "BLOCK", self._block_ms(block_s), "STREAMS",
            *self.keys, *(self._last[key] for key in self.keys),
        )  # fmt: skip
        return bool(reply)


def _entries(reply: Any) -> list[Entry]:
    return [
        Entry(key, entry_id.decode(), fields)
        for raw_key, found in reply or ()
        for key in (raw_key.decode(),)
        for entry_id, fields in found
    ]


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, seq = entry_id.partition("-")
    return int(ms), int(seq)
