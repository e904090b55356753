"""What the parts of a run find, before anything is made of it."""

import statistics
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

Rates = dict[str, list[float]]
"""Messages a second by contender, one a round; rows a second for the trees."""

Costs = dict[int, float]
"""Microseconds a message, by length or by lanes."""


def medians(rates: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median rate of each contender.

    >>> medians({"bare": [3.0, 1.0, 2.0]})
    {'bare': 2.0}
    """
    return {name: statistics.median(found) for name, found in rates.items()}


class Latency(BaseModel):
    """Seconds from a message's intended time to its event's arrival at a reader.

    ``events`` is how many there are; ``behind_s`` how long after the last message had been due
    the last event came: much more than ``p50_s`` tells that the machine could not keep up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    messages: int
    events: int
    p50_s: float
    p99_s: float
    p999_s: float
    max_s: float
    behind_s: float


class Memory(BaseModel):
    """Of a process, in bytes: its peak resident set, and its proportional share now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    peak_rss_bytes: int
    pss_bytes: int


class Whole(BaseModel):
    """What the whole topology did.

    ``latencies`` by messages a second; ``throughput`` in messages a second, a burst each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    latencies: dict[int, Latency]
    throughput: list[float]
    memory: dict[str, Memory]


class Profile(BaseModel):
    """Where the time of a loop goes that reads, handles and commits in turn.

    ``read_us``, ``handle_us`` and ``commit_us`` are microseconds a message; ``functions`` are those
    with most time of their own, each with its share of all in a run under ``cProfile``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    read_us: float
    handle_us: float
    commit_us: float
    functions: list[tuple[str, float]]
