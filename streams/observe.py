"""Looking at the streams from outside: lengths, lags, counters, and the newest entries."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from schemas.topology import Topology
from schemas.topology_graph import readers
from schemas.uid import id_order
from streams.backlog import waiting
from streams.cluster import together
from streams.connection import Client, send
from streams.entry import Entry
from streams.errors import GroupMissing
from streams.groups import group_rows, lag_of, name_of
from streams.keys import Lane

_PAGE = 100


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group on a stream, all lanes together.

    ``lag`` counts entries not yet delivered (None: the server cannot tell), ``pending`` those
    delivered and not yet acknowledged, ``consumers`` their readers.
    """

    worker: str
    lag: int | None
    pending: int
    consumers: int


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream, all lanes together: entries it holds, entries ever added, and its groups.

    ``full`` says that on some lane more waits than the stream's high-water mark; ``strangers``
    are groups that no worker of the topology reads: what they have not acknowledged is kept.
    ``lanes`` is how many keys it has.
    """

    name: str
    length: int
    added: int
    groups: tuple[GroupState, ...]
    full: bool = False
    strangers: tuple[str, ...] = ()
    lanes: int = 1


def lanes_of(topology: Topology) -> list[Lane]:
    """The lanes of a topology."""
    return [Lane(index, topology.lanes) for index in range(topology.lanes)]


def stream_states(
    client: Client, topology: Topology, names: Iterable[str] | None = None
) -> list[StreamState]:
    """The streams of these names, or every stream of the topology, in its order."""
    wanted = topology.streams if names is None else names
    return [_stream_state(client, topology, name) for name in wanted]


def _stream_state(client: Client, topology: Topology, name: str) -> StreamState:
    length = added = most = 0
    rows: dict[str, list[dict[str, Any]]] = {worker: [] for worker in readers(topology, name)}
    for lane in lanes_of(topology):
        key = lane.stream(name)
        try:
            info: dict[str, Any] = send(client, "XINFO STREAM", key)
            last_id = info["last-generated-id"]
            groups = [
                {**row, "lag": lag_of(row, info["length"], last_id)}
                for row in group_rows(client, key)
            ]
        except GroupMissing:
            continue  # the stream does not exist yet
        length += info["length"]
        most = max(most, waiting(groups, info["length"]))
        added += info.get("entries-added", 0)
        for row in groups:
            rows.setdefault(name_of(row["name"]), []).append(row)
    states = tuple(_group_state(worker, found) for worker, found in rows.items() if found)
    mark = topology.streams[name].high_water
    strangers = tuple(state.worker for state in states if state.worker not in topology.workers)
    full = mark is not None and most >= mark
    return StreamState(name, length, added, states, full, strangers, topology.lanes)


def _group_state(worker: str, rows: list[dict[str, Any]]) -> GroupState:
    lags = [row.get("lag") for row in rows]
    known = [lag for lag in lags if lag is not None]
    return GroupState(
        worker=worker,
        lag=sum(known) if len(known) == len(lags) else None,
        pending=sum(row["pending"] for row in rows),
        consumers=sum(row["consumers"] for row in rows),
    )


def counters(client: Client, topology: Topology) -> dict[tuple[str, str, str], int]:
    """Entries settled since ever, by (worker, stream, outcome); lanes are added up.

    Outcomes are ``accepted``, ``rejected``, ``dead``, ``duplicate``. Each entry is counted once,
    in the step that settled it.
    """
    found: dict[tuple[str, str, str], int] = {}
    for lane in lanes_of(topology):
        counted: dict[bytes, bytes] = send(client, "HGETALL", lane.counters)
        for name, number in counted.items():
            worker, key, outcome = name.decode().split(":")
            place = (worker, key.removesuffix(lane.tag), outcome)
            found[place] = found.get(place, 0) + int(number)
    return found


def newest(client: Client, topology: Topology, stream: str, count: int) -> list[Entry]:
    """The newest entries of a stream over all lanes, oldest of them first."""
    found: list[Entry] = []
    for lane in lanes_of(topology):
        key = lane.stream(stream)
        reply = send(client, "XREVRANGE", key, "+", "-", "COUNT", count)
        found += [Entry(key, entry_id.decode(), fields) for entry_id, fields in reply]
    found.sort(key=written)
    return found[-count:]


def written(entry: Entry) -> tuple[int, int]:
    """The sort key that puts entries in the order in which they were written, over all lanes."""
    return id_order(entry.id)


def ends(client: Client, topology: Topology, stream: str) -> dict[str, str]:
    """The last entry id of a stream on each of its lanes, by key; ``0`` where there is none."""
    keys = [lane.stream(stream) for lane in lanes_of(topology)]
    return {key: _last_id(client, key) for key in keys}


def since(
    client: Client, topology: Topology, stream: str, after: Mapping[str, str]
) -> Iterator[Entry]:
    """What was added behind the ends in ``after`` and is there now: lane by lane, oldest first.

    A lane that ``after`` does not name is read from its oldest entry. Entries that arrive while
    this runs are left out, so it ends.
    """
    for key, end in ends(client, topology, stream).items():
        start = f"({after[key]}" if key in after else "-"
        while True:
            reply = send(client, "XRANGE", key, start, end, "COUNT", _PAGE)
            for entry_id, fields in reply:
                yield Entry(key, entry_id.decode(), fields)
            if len(reply) < _PAGE:
                break
            start = f"({reply[-1][0].decode()}"


def follow(
    client: Client,
    topology: Topology,
    stream: str,
    block_s: float,
    after: Mapping[str, str] | None = None,
) -> Iterator[Sequence[Entry]]:
    """Entries as they arrive, over all lanes, a batch (or an empty one) a wait.

    They begin behind the ends in ``after``, else behind those of the first call. Needs no group
    and ends never.
    """
    places = dict(after) if after is not None else ends(client, topology, stream)
    groups = together(client, places)
    while True:
        batch: list[Entry] = []
        for keys in groups:  # in a cluster each lane has its part of the wait
            part_s = 0.001 if batch else block_s / len(groups)
            batch += _arrived(client, {key: places[key] for key in keys}, part_s)
        places |= {entry.stream: entry.id for entry in batch}
        batch.sort(key=written)
        yield batch


def _arrived(client: Client, places: Mapping[str, str], block_s: float) -> list[Entry]:
    reply = send(
        client, "XREAD", "COUNT", 500, "BLOCK", max(1, int(block_s * 1000)), "STREAMS",
        *places, *places.values(),
    )  # fmt: skip
    return [
        Entry(raw_key.decode(), entry_id.decode(), fields)
        for raw_key, found in reply or ()
        for entry_id, fields in found
    ]


def _last_id(client: Client, key: str) -> str:
    reply = send(client, "XREVRANGE", key, "+", "-", "COUNT", 1)
    return reply[0][0].decode() if reply else "0"


def reach_ms(
    client: Client,
    topology: Topology,
    stream: str,
    at_ms: Callable[[Entry], int] = attrgetter("at_ms"),
) -> int:
    """From when on a stream holds all that was ever added, in ms since the epoch.

    0 where nothing was removed, else the time ``at_ms`` of the oldest entry; of several lanes the
    latest. Where nothing is left it is a time that never comes.
    """
    return max(_reach_ms(client, lane.stream(stream), at_ms) for lane in lanes_of(topology))


def _reach_ms(client: Client, key: str, at_ms: Callable[[Entry], int]) -> int:
    try:
        info: dict[str, Any] = send(client, "XINFO STREAM", key)
    except GroupMissing:
        return 0  # the stream does not exist yet
    if info.get("entries-added") == info["length"]:
        return 0
    reply = send(client, "XRANGE", key, "-", "+", "COUNT", 1)
    return min((at_ms(Entry(key, i.decode(), fields)) for i, fields in reply), default=2**63)


def find(client: Client, uid: str) -> Entry | None:
    """The entry that a uid names, or None where it is no longer retained."""
    key, _, entry_id = uid.rpartition("/")
    reply = send(client, "XRANGE", key, entry_id, entry_id)
    return Entry(key, entry_id, reply[0][1]) if reply else None
