"""Whether the lineage store knows every parent that the entries themselves name."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from bench.chaos.house import House
from streams.entry import Entry

Edge = tuple[str, str]


def gaps(house: House, streams: tuple[str, ...]) -> list[str]:
    """What differs between a house's store and the field ``parents`` of its entries, in words."""
    return gaps_of(house.directory / "lineage.db", house.entries, streams)


def gaps_of(
    store: Path, entries: Callable[[str], Iterable[Entry]], streams: tuple[str, ...]
) -> list[str]:
    """What differs between a store and the field ``parents`` of the entries, in words."""
    named = {
        (entry.uid, parent)
        for stream in streams
        for entry in entries(stream)
        for parent in (entry.get(b"parents") or b"").decode().split()
    }
    stored = _edges(store, streams)
    found = []
    if named - stored:
        found.append(f"the lineage store lacks {len(named - stored):,} of {len(named):,} edges")
    if stored - named:
        found.append(f"the lineage store has {len(stored - named):,} edges that are not there")
    return found


def _edges(path: Path, streams: tuple[str, ...]) -> set[Edge]:
    marks = ", ".join("?" for _ in streams)
    query = (
        "SELECT child.id, parent.id FROM derived "
        "JOIN entity child ON child.k = derived.child "
        "JOIN entity parent ON parent.k = derived.parent "
        f"WHERE child.stream IN ({marks})"
    )
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute(query, streams))
