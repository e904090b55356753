"""An hour's worth of traffic through streams that hold a few MB: memory stays flat."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.chaos.house import House, house
from bench.chaos.payloads import numbers
from bench.chaos.producer import length
from bench.chaos.result import Row
from bench.chaos.sizes import Sizes
from bench.chaos.topologies import bounded
from streams.connection import Client, send
from streams.groups import group_rows
from tests.servers.pipeline import reading, until

_CHUNK, _HIGH_WATER = 1_000, 5_000
_STREAMS = ("IN", "OK", "LINEAGE")
_TEMPLATE = reading(n=0, x=1.0)
_AUDIT = "auditor"


@dataclass
class Watched:
    """What the server used while traffic flowed, after the first tenth of it."""

    used_bytes: list[int] = field(default_factory=list)
    stream_bytes: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)

    def figures(self) -> dict[str, float | int | str]:
        """The extremes."""
        return {
            "used_memory_min_bytes": min(self.used_bytes),
            "used_memory_max_bytes": max(self.used_bytes),
            "streams_max_bytes": max(self.stream_bytes),
            "streams_max_entries": max(self.entries),
        }


def bounded_memory(kind: str, sizes: Sizes, rng: random.Random) -> Row:
    """A publisher that waits at a high-water mark; a reader outside that ticks off each message."""
    total, seen = sizes.bounded, bytearray(sizes.bounded)
    started_s = time.monotonic()
    with house(kind, bounded()) as found:
        send(found.client, "XGROUP CREATE", "OK", _AUDIT, "0", "MKSTREAM")
        found.start("gate", "swallow")
        with _auditing(found, seen) as twice, _watching(found, total) as watched:
            _publish(found, total)
            until(lambda: found.settled() and _audited(found), 120.0, "that all was read")
        found.workers.stop()
    rate_per_s = total / (time.monotonic() - started_s)
    return Row(
        fault="an hour's traffic in bounded streams",
        server=kind,
        rounds=1,
        published=total,
        lost=seen.count(0),
        duplicated=twice[0],
        faults=_growth(watched.used_bytes),
        details={"seconds_at_1000_per_s": total // 1000, "messages_per_s": round(rate_per_s)}
        | watched.figures(),
    )


def _growth(used: list[int]) -> list[str]:
    """In words, whether the last third of the run used more memory than the first.

    A tenth, and two MB for what the server allocates besides, are no growth.
    """
    third = max(1, len(used) // 3)
    first, last = max(used[:third]), max(used[-third:])
    if last <= first * 1.1 + 2_000_000:
        return []
    return [f"the server's memory grew from {first:,} to {last:,} bytes"]


def _publish(found: House, total: int) -> None:
    pause = threading.Event()
    for start in range(0, total, _CHUNK):
        while any(length(found.client, key) > _HIGH_WATER for key in ("IN", "OK")):
            pause.wait(0.01)
        pipe = found.client.pipeline(transaction=False)
        for n in range(start, min(start + _CHUNK, total)):
            data = _TEMPLATE.replace(b'"n": 0', b'"n": %d' % n)
            pipe.execute_command("XADD", "IN", "*", "data", data)  # type: ignore[no-untyped-call]
        pipe.execute()


@contextmanager
def _auditing(found: House, seen: bytearray) -> Iterator[list[int]]:
    """Read OK with a group of our own and tick off what came; yields how many came twice."""
    twice, ended = [0], threading.Event()

    def audit() -> None:
        with found.server.client() as client:
            while not ended.is_set():
                for n in _take(client):
                    twice[0] += seen[n]
                    seen[n] = 1

    thread = threading.Thread(target=audit, daemon=True)
    thread.start()
    try:
        yield twice
    finally:
        ended.set()
        thread.join()


def _take(client: Client) -> list[int]:
    reply = send(
        client, "XREADGROUP", "GROUP", _AUDIT, "one", "COUNT", 1000, "BLOCK", 200, "STREAMS",
        "OK", ">",
    )  # fmt: skip
    if not reply:
        return []
    entries = reply[0][1]
    send(client, "XACK", "OK", _AUDIT, *(entry_id for entry_id, _ in entries))
    return numbers(fields[fields.index(b"data") + 1] for _, fields in entries)


def _audited(found: House) -> bool:
    summary = send(found.client, "XPENDING", "OK", _AUDIT)
    last = send(found.client, "XINFO STREAM", "OK")["last-generated-id"]
    rows = group_rows(found.client, "OK")
    ours = next(row for row in rows if row["name"] == _AUDIT.encode())
    return bool(summary[0] == 0 and ours["last-delivered-id"] == last)


@contextmanager
def _watching(found: House, total: int) -> Iterator[Watched]:
    """Sample the server's memory five times a second once a tenth of the traffic has passed."""
    watched, ended = Watched(), threading.Event()

    def watch() -> None:
        with found.server.client() as client:
            while not ended.wait(0.2):
                if send(client, "XINFO STREAM", "OK")["entries-added"] > total // 10:
                    _sample(client, watched)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        ended.set()
        thread.join()


def _sample(client: Client, watched: Watched) -> None:
    watched.used_bytes.append(send(client, "INFO", "memory")["used_memory"])
    sizes = [send(client, "MEMORY USAGE", key) or 0 for key in _STREAMS]
    watched.stream_bytes.append(sum(sizes))
    watched.entries.append(sum(length(client, key) for key in _STREAMS))
