"""What stays the same when there is more: the cost of a message in a long stream, on many lanes."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from bench.chaos.house import House, house
from bench.pipeline.findings import Costs
from bench.pipeline.payloads import readings
from bench.pipeline.sizes import Sizes
from bench.pipeline.turns import manned, take_turns
from schemas.topology import Topology
from streams.connection import Client, send
from streams.keys import Lane
from streams.observe import counters
from streams.presence import present
from streams.publish import Outgoing, Publisher
from tests.servers.pipeline import SMALL, until
from tests.servers.stream_server import running
from workers.kinds import build_handler

_FILL = "for _ = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '*', 'data', '{}') end"
_STEP = 100_000
_WITHOUT_FILE = ("--appendonly", "no")  # filling is no part of what is measured


def flat_length(topology: Topology, sizes: Sizes) -> Costs:
    """The gate's cost a message on streams that hold so many entries it has settled before.

    The streams are lanes of one topology on one server, measured in turn.
    """
    lanes = [Lane(index, len(sizes.lengths)) for index in range(len(sizes.lengths))]
    topology = topology.model_copy(update={"lanes": len(lanes)})
    costs: dict[int, list[float]] = {length: [] for length in sizes.lengths}
    with running("valkey", extra=_WITHOUT_FILE) as server, server.client() as client:
        for lane, length in zip(lanes, sizes.lengths, strict=True):
            _lengthen(client, lane.stream("L3_IN"), length)
        for _ in range(sizes.rounds):
            for lane, length in zip(lanes, sizes.lengths, strict=True):
                took_s = _gate(client, topology, lane, readings(sizes.messages))
                costs[length].append(took_s * 1e6 / sizes.messages)
                _restore(client, lane, length)
    return {length: statistics.median(found) for length, found in costs.items()}


def _lengthen(client: Client, key: str, length: int) -> None:
    """Give a stream so many small entries, all of which the gate has behind it."""
    for _ in range(0, length, _STEP):
        send(client, "EVAL", _FILL, 1, key, min(length, _STEP))
    send(client, "XGROUP CREATE", key, "gate", "$")


def _gate(client: Client, topology: Topology, lane: Lane, payloads: Sequence[bytes]) -> float:
    # a publisher of one lane writes to the key as it stands
    Publisher(client).publish_batch(lane.stream("L3_IN"), [Outgoing(d) for d in payloads])
    station = manned(client, topology, "gate", lane)
    return take_turns(station, build_handler(topology, "gate", lane), len(payloads)).total_s


def _restore(client: Client, lane: Lane, length: int) -> None:
    send(client, "XTRIM", lane.stream("L3_IN"), "MAXLEN", length)
    send(client, "DEL", lane.stream("L3"), lane.stream("LINEAGE"))


def flat_lanes(sizes: Sizes) -> Costs:
    """The cost a message of one gate process that serves so many lanes; all get the same load."""
    costs: dict[int, list[float]] = {lanes: [] for lanes in sizes.lanes}
    with ExitStack() as stack:
        places = {lanes: stack.enter_context(_laned(lanes)) for lanes in sizes.lanes}
        for _ in range(sizes.rounds):
            for lanes, place in places.items():
                costs[lanes].append(_burst(place, sizes.burst) * 1e6 / sizes.burst)
    return {lanes: statistics.median(found) for lanes, found in costs.items()}


@contextmanager
def _laned(lanes: int) -> Iterator[House]:
    tree: dict[str, Any] = {**SMALL, "lanes": lanes, "delivery": {}}
    with house("valkey", tree) as place:
        place.start("gate")
        until(lambda: _served(place) == lanes, 60, f"that {lanes} lanes are served")
        yield place


def _served(place: House) -> int:
    return sum(line.served for line in present(place.client, time.time()))


def _burst(place: House, messages: int) -> float:
    """Seconds until a burst that was there at once is settled."""
    wanted = _settled(place) + messages
    place.workers.freeze("gate")
    outgoing = [Outgoing(data) for data in readings(messages)]
    Publisher.of(place.client, place.topology).publish_batch("IN", outgoing)
    started_s = time.monotonic()
    place.workers.thaw("gate")
    until(lambda: _settled(place) >= wanted, 60, "that a burst is settled")
    return time.monotonic() - started_s


def _settled(place: House) -> int:
    return sum(counters(place.client, place.topology).values())
