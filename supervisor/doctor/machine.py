"""Checks of this machine and of the provenance graph."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from lineage.errors import LineageError
from lineage.settings import LineageSettings
from lineage.store import open_store
from supervisor.doctor.finding import Finding, fault, ok, warning

_LITTLE_BYTES, _LEAST_BYTES = 2 * 1024**3, 256 * 1024**2
_LITTLE, _LEAST = 0.1, 0.02


def disk(data_dir: Path, free: Callable[[Path], tuple[int, int]] | None = None) -> Finding:
    """Whether the disk of the data directory has room; ``free`` gives its size and what is left."""
    place = data_dir.resolve()
    while not place.exists():
        place = place.parent
    total, left = (free or _free)(place)
    said = f"{left / 1024**3:.1f} GiB ({left / total:.0%}) are free for {data_dir}"
    remedy = "make room, or set PENSTOCK_DATA_DIR to a larger disk"
    if left < min(_LEAST_BYTES, _LEAST * total):
        return fault(said, remedy)
    if left < min(_LITTLE_BYTES, _LITTLE * total):
        return warning(said, remedy)
    return ok(said)


def _free(place: Path) -> tuple[int, int]:
    usage = shutil.disk_usage(place)
    return usage.total, usage.free


def graph(settings: LineageSettings) -> Iterator[Finding]:
    """Whether the store of the provenance graph opens and answers."""
    if not settings.neo4j_uri and not (settings.data_dir / "lineage.db").exists():
        yield ok("the embedded store, which the lineage worker makes when it first runs")
        return
    try:
        with open_store(settings.store()) as store:
            counted = store.counts()
    except LineageError as error:
        remedy = "start Neo4j, or see PENSTOCK_NEO4J_URI, _USER and _PASSWORD"
        if not settings.neo4j_uri:
            remedy = "see the file's permissions, or move it away: a new one is made"
        yield fault(str(error), remedy)
        return
    what = "Neo4j" if settings.neo4j_uri else "the embedded store"
    yield ok(f"{what} answers, with {counted['entities']:,} messages")
