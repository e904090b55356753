"""How much of each fault: in full, and as the short cut that runs with the tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Rounds and messages of every fault.

    ``rate_per_s`` is how fast messages are published while faults are made. Of the poison,
    ``poison_each`` entries of each sort lie ``poison_apart`` messages apart, and
    ``poison_pace`` stretches the seconds between them. ``bounded`` messages go through the
    bounded stream. ``clustered`` messages go through the cluster, which is harmed
    ``cluster_rounds`` times.
    """

    kills: int
    chain_kills: int
    freezes: int
    restarts: int
    poison_each: int
    poison_apart: int
    poison_pace: float
    bounded: int
    clustered: int
    cluster_rounds: int
    rate_per_s: float


FULL = Sizes(
    kills=300,
    chain_kills=150,
    freezes=50,
    restarts=50,
    poison_each=20,
    poison_apart=1_000,
    poison_pace=1.0,
    bounded=3_600_000,
    clustered=100_000,
    cluster_rounds=20,
    rate_per_s=400.0,
)

SHORT = Sizes(
    kills=8,
    chain_kills=5,
    freezes=3,
    restarts=3,
    poison_each=1,
    poison_apart=300,
    poison_pace=0.6,
    bounded=40_000,
    clustered=3_000,
    cluster_rounds=2,
    rate_per_s=600.0,
)
