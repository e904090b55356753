"""How a server stands and is set up: what it says of itself, and what lies where it should not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from redis.connection import ConnectionPool

from schemas.topology import Topology
from streams.cluster import ClusterClient
from streams.connection import Client, send
from streams.errors import GroupMissing, ServerAway, ServerRefused, StreamsError
from streams.groups import group_rows, name_of
from streams.keys import Lane, bare
from streams.observe import lanes_of

_MOST_SCANNED = 1_000_000
_LOOKS = 5
_CREDENTIALS = ("username", "password", "credential_provider")


def servers(client: Client, topology: Topology) -> dict[str, Client]:
    """The servers that hold a topology's lanes, by ``host:port``: one, or a cluster's masters."""
    found = {}
    for lane in lanes_of(topology):
        key = lane.stream(topology.lineage)
        node = client.node_of(key) if isinstance(client, ClusterClient) else client
        place = node.connection_pool.connection_kwargs
        found[f"{place.get('host', 'server')}:{place.get('port', '')}"] = node
    return found


def info(client: Client, section: str) -> dict[str, Any]:
    """What ``INFO`` says."""
    found: dict[str, Any] = send(client, "INFO", section)
    return found


def setting(client: Client, name: str) -> str | None:
    """One setting of the server; None where our user may not see it."""
    try:
        return str(send(client, "CONFIG GET", name).get(name, ""))
    except ServerRefused:
        return None


def user(client: Client) -> str:
    """The user that we are."""
    name: str = send(client, "ACL WHOAMI")
    return name


def is_open(client: Client) -> bool:
    """Whether the server serves somebody who names no user and no password."""
    pool = client.connection_pool
    settings = {k: v for k, v in pool.connection_kwargs.items() if k not in _CREDENTIALS}
    stranger = Client(connection_pool=ConnectionPool(pool.connection_class, **settings))
    with stranger:
        try:
            send(stranger, "PING")
        except ServerRefused:
            return False
    return True


def clock_ahead_s(client: Client, now_s: Callable[[], float]) -> float:
    """How far the server's clock is ahead of ours, by the quickest of a few answers."""
    looks: list[tuple[float, float]] = []
    for _ in range(_LOOKS):
        before_s = now_s()
        seconds, micros = send(client, "TIME")
        after_s = now_s()
        middle_s = (before_s + after_s) / 2
        looks.append((after_s - before_s, seconds + micros / 1e6 - middle_s))
    return min(looks)[1]


def slots(client: Client) -> tuple[bool, int] | None:
    """Whether a cluster says that it is whole, and how many slots are served; None: no cluster."""
    if not isinstance(client, ClusterClient):
        return None
    said = send(client, "CLUSTER INFO")
    return said["cluster_state"] == "ok", int(said["cluster_slots_ok"])


def memory_bytes(client: Client, topology: Topology) -> dict[str, int | None]:
    """About how much memory each stream takes, over its lanes; None where we may not ask.

    The server estimates it by a few entries of each.
    """
    return {name: _memory_bytes(client, topology, name) for name in topology.streams}


def _memory_bytes(client: Client, topology: Topology, name: str) -> int | None:
    keys = (lane.stream(name) for lane in lanes_of(topology))
    try:
        return sum(send(client, "MEMORY USAGE", key, "SAMPLES", _LOOKS) or 0 for key in keys)
    except ServerAway:
        raise
    except StreamsError:
        return None  # a user without the right to ask still sees all else


@dataclass(frozen=True, slots=True)
class Stray:
    """A key that has a stream's name and is none of its lanes; ``entries`` None: unknown."""

    key: str
    entries: int | None


def strays(client: Client, topology: Topology) -> Iterator[Stray]:
    """The keys of a topology's streams, on one server, that no worker reads or could write."""
    known = {lane.stream(name) for name in topology.streams for lane in lanes_of(topology)}
    for key in _scan(client):
        if key in known or bare(key) not in topology.streams:
            continue
        yield Stray(key, _length(client, key))


def _length(client: Client, key: str) -> int | None:
    try:
        return send(client, "XLEN", key) if send(client, "TYPE", key) == b"stream" else None
    except ServerRefused:
        return None


def unnamed(client: Client, topology: Topology) -> Iterator[str]:
    """The streams on one server, but for our own bookkeeping, that the topology does not name.

    A stream comes once for each of its keys that would be on a lane.
    """
    tags = {lane.tag for lane in lanes_of(topology)}
    for key in _scan(client, "TYPE", "stream"):
        name = bare(key)
        known = name in topology.streams or key.startswith("penstock:")
        if not known and key.removeprefix(name) in tags:
            yield name


def misused(client: Client, topology: Topology) -> Iterator[str]:
    """The keys of streams that hold something else."""
    for name in topology.streams:
        for lane in lanes_of(topology):
            key = lane.stream(name)
            if send(client, "TYPE", key) not in (b"stream", b"none"):
                yield key


def _scan(client: Client, *only: str) -> Iterator[str]:
    cursor, seen = 0, 0
    while seen < _MOST_SCANNED:
        cursor, keys = send(client, "SCAN", cursor, "COUNT", 1000, *only)
        seen += 1000
        yield from (key.decode("utf-8", "replace") for key in keys)
        if not int(cursor):
            return


@dataclass(frozen=True, slots=True)
class Consumer:
    """A consumer of a worker's group on a stream's key; ``leased``: somebody works under it."""

    key: str
    group: str
    name: str
    pending: int
    leased: bool


def consumers(client: Client, topology: Topology, stream: str) -> Iterator[Consumer]:
    """All consumers of the groups of a stream that workers of the topology read."""
    for lane in lanes_of(topology):
        key = lane.stream(stream)
        try:
            groups = [name_of(row["name"]) for row in group_rows(client, key)]
        except GroupMissing:
            continue  # the stream does not exist yet
        for group in groups:
            if group in topology.workers:
                yield from _consumers(client, lane, key, group)


def _consumers(client: Client, lane: Lane, key: str, group: str) -> Iterator[Consumer]:
    for row in send(client, "XINFO CONSUMERS", key, group):
        name = name_of(row["name"])
        leased = bool(send(client, "EXISTS", lane.lease(group, name)))
        yield Consumer(key, group, name, row["pending"], leased)
