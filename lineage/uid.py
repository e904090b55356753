"""What a message's uid tells by itself: its stream, its lane and its time."""

import re
from functools import lru_cache
from typing import NamedTuple

from schemas.uid import id_order

MAX_TS_MS = 2**63 - 1
"""The latest time a store can hold; an entry id chosen by a producer may name a later one."""

_TAGGED = re.compile(r"(?P<stream>.+)\{(?P<lane>\d{1,9})\}")


class Place(NamedTuple):
    """Where and when an entry was written: bare stream name, lane, and ms since the epoch."""

    stream: str
    lane: int
    ts: int


def place_of(uid: str) -> Place:
    """Take a uid of the form of :data:`schemas.model.Uid` apart.

    A stream without a lane tag has lane 0. The time is the one the server (or a producer that
    chose its entry ids) wrote into the entry id, at most :data:`MAX_TS_MS`.

    >>> place_of("L3{2}/1732100000000-7")
    Place(stream='L3', lane=2, ts=1732100000000)
    >>> place_of("L3/17-0")
    Place(stream='L3', lane=0, ts=17)
    """
    key, _, entry = uid.rpartition("/")
    stream, lane = bare_stream(key)
    return Place(stream, lane, min(int(entry.partition("-")[0]), MAX_TS_MS))


@lru_cache(maxsize=4096)
def bare_stream(key: str) -> tuple[str, int]:
    """Split a stream's key into its bare name and its lane, 0 when it has no lane tag.

    >>> bare_stream("L3{2}"), bare_stream("{user}:events")
    (('L3', 2), ('{user}:events', 0))
    """
    tagged = _TAGGED.fullmatch(key)
    return (tagged["stream"], int(tagged["lane"])) if tagged else (key, 0)


def entry_order(uid: str) -> tuple[int, int, str]:
    """Give the sort key that puts messages in the order in which they were written.

    >>> sorted(["L3/17-10", "L3/17-9", "L3/9-0"], key=entry_order)
    ['L3/9-0', 'L3/17-9', 'L3/17-10']
    """
    return *id_order(uid), uid
