"""Entries that cannot be handled: narrowing down to the guilty one, retrying it, burying it."""

import heapq
from collections.abc import Sequence
from typing import Any

from schemas.settlements import DeadLetter
from streams.entry import Entry, Output, Settled, carried
from streams.keys import bare
from workers.provenance import producer_id
from workers.station import Station

_FIRST_RETRY_S = 0.2


def halves(part: Sequence[Entry]) -> list[Sequence[Entry]]:
    """The two halves of a part that raised."""
    middle = len(part) // 2
    return [part[:middle], part[middle:]]


def parted(part: Sequence[Entry], guilty: str, *, ordered: bool) -> list[Sequence[Entry]]:
    """What to try instead of a part that raised while the entry ``guilty`` was in hand.

    That one by itself, and after the others unless they have to stay ``ordered``; halves where it
    is none of them.
    """
    at = next((i for i, entry in enumerate(part) if entry.id == guilty), None)
    if at is None:
        return halves(part)
    before, alone, behind = part[:at], part[at : at + 1], part[at + 1 :]
    tried = (before, alone, behind) if ordered else (before, behind, alone)
    return [some for some in tried if some]


def described(error: Exception) -> str:
    """An exception in one line: its type and, if it can tell them, its words."""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - an author's exception may raise when it is asked
        words = "(its text cannot be told)"
    return f"{type(error).__name__}: {words}"


def dead_letter(entry: Entry, station: Station, error: str) -> Settled:
    """Settle an entry as a dead letter: the untouched original, the error, the attempts."""
    letter = DeadLetter(
        message=entry.uid,
        stream=entry.stream,
        worker=station.worker,
        attempts=entry.attempts,
        error=error.encode("utf-8", "replace").decode()[:1024],
    )
    fields = [b"data", letter.model_dump_json().encode(), *carried(entry.fields)]
    # A lineage record that cannot be written must not make another one.
    noted = bare(entry.stream) != station.topology.lineage
    output = Output(station.dead_letters, fields, _note(letter, station) if noted else None)
    # At a gate the producer's id is free again, or the released message would count as its own
    # duplicate; nobody else keeps that key, or may.
    remembered = producer_id(entry) if station.settings.kind == "gate" else None
    return Settled(entry, "dead", [output], remembered)


def _note(letter: DeadLetter, station: Station) -> dict[str, Any]:
    """What lineage says of a dead letter."""
    return {
        "schema_name": station.topology.streams[station.topology.dead_letters].schema_name,
        "schema_version": letter.schema_version,
        "finding": {
            "kind": "dead_letter",
            "detector": station.worker,
            "summary": f"worker {station.worker} gave up after {letter.attempts} attempts "
            f"on a message of {bare(letter.stream)}",
            "flagged": [letter.message],
        },
    }


class Retries:
    """Entries that failed alone and wait for their next attempt, each longer than the last.

    They stay pending, so that another worker finds them if this one dies.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, str, str]] = []

    def add(self, entry: Entry, now_s: float) -> None:
        """Schedule the next attempt: 0.2 s after the first failure, doubling."""
        due_s = now_s + _FIRST_RETRY_S * 2.0 ** min(entry.attempts - 1, 10)
        heapq.heappush(self._heap, (due_s, entry.stream, entry.id))

    @property
    def ids(self) -> set[str]:
        """The ids of all that wait."""
        return {entry_id for _, _, entry_id in self._heap}

    def due(self, now_s: float) -> tuple[str, str] | None:
        """Stream key and id of one whose time has come, which is no longer scheduled."""
        if not self._heap or self._heap[0][0] > now_s:
            return None
        _, key, entry_id = heapq.heappop(self._heap)
        return key, entry_id

    def wait_s(self, now_s: float, most_s: float) -> float:
        """How long a read may wait before the next attempt is due, at most ``most_s``."""
        if not self._heap:
            return most_s
        return min(most_s, max(0.001, self._heap[0][0] - now_s))
