"""From publishing a message to the event about it, through the whole reference topology."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.chaos.house import House
from bench.pipeline.findings import Latency
from bench.pipeline.pace import pacing
from bench.pipeline.sizes import Load
from bench.pipeline.turns import NotDone
from streams.entry import Entry
from streams.observe import ends, follow, since

_SOURCE, _MIDDLE, _EVENTS = "L3_IN", "L3", "ANOMALY_EVENTS"
_QUIET_S = 2.0
_AT_MOST_S = 120.0


@dataclass(frozen=True)
class Arrival:
    """An event, and when a reader had it."""

    at_s: float
    event: Entry


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that so large a share of the ordered values does not exceed (nearest rank).

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5), percentile([1.0, 2.0], 0.999)
    (2.0, 2.0)
    """
    rank = math.ceil(round(share * len(ordered), 6))  # 0.07 * 100 is a little more than 7
    return ordered[max(rank, 1) - 1]


def measure(house: House, load: Load) -> Latency:
    """Publish under a load, and time every event that comes of it. Raises NotDone."""
    before = ends(house.client, house.topology, _MIDDLE)
    arrivals, intended = _observe(house, load)
    between = since(house.client, house.topology, _MIDDLE, before)
    parents = {entry.uid: _parent(entry) for entry in between}
    found = [
        (arrival.at_s, intended[source])
        for arrival in arrivals
        if (source := parents.get(_parent(arrival.event), "")) in intended
    ]
    if len(found) < load.messages // load.marked_every:
        raise NotDone(f"only {len(found)} events came of {load.messages} messages")
    return _summary(found, intended)


def _observe(house: House, load: Load) -> tuple[list[Arrival], dict[str, float]]:
    """What arrived until nothing more came for a while, and when each message was due."""
    arrivals: list[Arrival] = []
    start = ends(house.client, house.topology, _EVENTS)
    intended: dict[str, float] = {}
    with pacing(house.server.url, _SOURCE, load) as publisher:
        give_up_s = time.monotonic() + load.lasts_s + _AT_MOST_S
        quiet_since_s = time.monotonic()
        for batch in follow(house.client, house.topology, _EVENTS, 0.2, start):
            now_s = time.monotonic()
            arrivals += [Arrival(now_s, entry) for entry in batch]
            if not intended and publisher.poll():
                intended, quiet_since_s = publisher.recv(), now_s
            quiet_since_s = now_s if batch or not intended else quiet_since_s
            if now_s - quiet_since_s > _QUIET_S:
                return arrivals, intended
            if now_s > give_up_s:
                raise NotDone(f"{load.rate_per_s} messages a second were not settled in time")
    raise NotDone("the stream of events ended")


def _parent(entry: Entry) -> str:
    return (entry.get(b"parents") or b"").decode()


def _summary(found: Sequence[tuple[float, float]], intended: Mapping[str, float]) -> Latency:
    took_s = sorted(arrived - due for arrived, due in found)
    last_s = max(arrived for arrived, _ in found)
    return Latency(
        messages=len(intended),
        events=len(found),
        p50_s=round(percentile(took_s, 0.5), 5),
        p99_s=round(percentile(took_s, 0.99), 5),
        p999_s=round(percentile(took_s, 0.999), 5),
        max_s=round(took_s[-1], 5),
        behind_s=round(last_s - max(intended.values()), 3),
    )
