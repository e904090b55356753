"""Where a stateful worker goes on: streams that began anew, and how far a checkpoint is trusted."""

from typing import Any

from lineage.uid import entry_order
from streams.checkpoint import NOTHING, Header, Places
from streams.errors import CheckpointRefused
from workers.station import Station


def places_of(station: Station, log: Any) -> Places:
    """Where the server says that the worker stands; streams that began anew are told to it first.

    A stream that was deleted, and begins again, has a group that was delivered less than the worker
    had committed. Its position and its floor then start anew as well: what comes is in no
    checkpoint, whatever its ids are, and is neither trimmed nor left out of a replay.

    Raises LeaseLost, GroupMissing.
    """
    places, delivered = station.committer.places(), station.reader.delivered()
    for key, position in places.positions.items():
        behind = min(position, delivered.get(key, position), key=entry_order)
        floor = places.floors.get(key, NOTHING)
        if behind != position or entry_order(position) < entry_order(floor):
            log.warning("stream_began_anew", stream=key, was_at=position, floor=floor)
            station.committer.rewind(key, behind)
    return station.committer.places()


def start_of(header: Header, station: Station, places: Places) -> dict[str, str]:
    """The entry of each stream key behind which the replay starts that a checkpoint needs.

    A seal says only that some worker of the pipeline made it, some time. It is this one's if it
    names this worker and streams of this lane, and the latest if it contains just what trimming
    relies on. An older one will do where everything behind it is retained.

    Raises CheckpointRefused.
    """
    if header.worker != station.worker:
        raise CheckpointRefused("the checkpoint is another worker's")
    strange = header.positions.keys() - places.positions.keys() - set(station.reader.keys)
    if strange:
        raise CheckpointRefused(f"the checkpoint is another lane's: it names {min(strange)!r}")
    start = dict(header.positions)
    for key, floor in places.floors.items():
        found = header.positions.get(key, NOTHING)
        if floor == NOTHING:
            start.pop(key, None)
        elif found != floor and not _is_made_whole(station, key, found, floor):
            raise CheckpointRefused(
                f"the checkpoint has {key!r} up to {found}, but it was trimmed as one up to {floor}"
                " allows; an old checkpoint may have been put in its place"
            )
    return start


def _is_made_whole(station: Station, key: str, found: str, floor: str) -> bool:
    """Whether all that came between two entries is retained: the trimming did not reach it."""
    oldest = station.reader.between(key, "-", "+", 1)
    return bool(oldest) and entry_order(oldest[0].id) <= entry_order(found) < entry_order(floor)
