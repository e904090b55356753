"""What stands around an entry, or at the end of a stream, a page at a time while it is retained."""

import heapq
from collections.abc import Iterator, Sequence

from schemas.topology import Topology
from streams.connection import Client, send
from streams.entry import Entry
from streams.observe import ends, lanes_of, written

PAGE = 500
"""Entries in one reply, at most."""


def before(client: Client, uid: str, page: int = PAGE) -> Iterator[Sequence[Entry]]:
    """The retained entries older than the one that ``uid`` names, the newest of them first.

    The entry itself need not be there any more. Stop asking when there is enough.
    """
    key, _, entry_id = uid.rpartition("/")
    return _pages(client, "XREVRANGE", key, f"({entry_id}", "-", page)


def behind(client: Client, uid: str, page: int = PAGE) -> Iterator[Sequence[Entry]]:
    """The entries newer than the one that ``uid`` names, the oldest of them first."""
    key, _, entry_id = uid.rpartition("/")
    return _pages(client, "XRANGE", key, f"({entry_id}", "+", page)


def backwards(client: Client, topology: Topology, stream: str, page: int = PAGE) -> Iterator[Entry]:
    """The retained entries of a stream, the newest first, over all its lanes.

    No more than a page of each lane is held at a time. Stop asking when there is enough.
    """
    lanes = (_backwards(client, lane.stream(stream), page) for lane in lanes_of(topology))
    yield from heapq.merge(*lanes, key=written, reverse=True)


def _backwards(client: Client, key: str, page: int) -> Iterator[Entry]:
    for entries in _pages(client, "XREVRANGE", key, "+", "-", page):
        yield from entries


def forwards(
    client: Client, topology: Topology, stream: str, since_ms: int = 0, page: int = PAGE
) -> Iterator[Entry]:
    """What a stream retains from ``since_ms`` on, the oldest first, over all its lanes.

    Entries that arrive while this runs are left out, so it ends.
    """
    places = ends(client, topology, stream).items()
    lanes = (_forwards(client, key, since_ms, end, page) for key, end in places)
    yield from heapq.merge(*lanes, key=written)


def _forwards(client: Client, key: str, since_ms: int, end: str, page: int) -> Iterator[Entry]:
    for entries in _pages(client, "XRANGE", key, str(max(0, since_ms)), end, page):
        yield from entries


def _pages(
    client: Client, command: str, key: str, start: str, end: str, page: int
) -> Iterator[Sequence[Entry]]:
    while True:
        reply = send(client, command, key, start, end, "COUNT", page)
        yield [Entry(key, entry_id.decode(), fields) for entry_id, fields in reply]
        if len(reply) < page:
            return
        start = f"({reply[-1][0].decode()}"
