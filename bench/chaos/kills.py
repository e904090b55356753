"""``kill -9`` of random workers at random moments, under load.

Half of them hit the process that works, which its keeper forks anew; half hit both.
"""

import random
import threading
from pathlib import Path

from bench.chaos.healing import Healing
from bench.chaos.house import House
from bench.chaos.payloads import mixed, numbered
from bench.chaos.producer import mixed_and_fed, with_ids
from bench.chaos.provenance import gaps
from bench.chaos.result import Row
from bench.chaos.sizes import Sizes
from bench.chaos.stateful import STATEFUL, Fed, Gated
from bench.chaos.storm import Storm, weather
from bench.chaos.topologies import chain, parallel
from tests.servers.processes import ROOT

_ALL = ("gate", "gate#2", "pass", "pass#2", "lineage", *STATEFUL)
_CHAIN = ("gate", "pass", *STATEFUL)
_EMITTED = ("OK", "BAD", "OUT", "EVENTS", "DRIFTS", "SUMS")


def kill_any(kind: str, sizes: Sizes, rng: random.Random, code: Path = ROOT) -> Row:
    """Workers of every kind, two of those that share their work; nobody helps but the leases."""
    storm = Storm(
        fault="kill -9 of any worker",
        rounds=sizes.kills,
        tree=parallel("500ms"),
        labels=_ALL,
        send=mixed_and_fed(mixed, numbered),
        harm=lambda found, healing: _kill(found, healing, rng, _ALL, sizes.kills),
        run=Fed(),
        look=lambda found: gaps(found, _EMITTED),
        copies=2,
        code=code,
    )
    return weather(kind, storm, sizes.rate_per_s)


def kill_chain(kind: str, sizes: Sizes, rng: random.Random) -> Row:
    """One gate and what reads behind it, with a supervisor that settles what the dead leave."""
    storm = Storm(
        fault="kill -9 along a supervised chain",
        rounds=sizes.chain_kills,
        tree=chain(),
        labels=_CHAIN,
        send=with_ids(mixed),
        harm=lambda found, healing: _kill(found, healing, rng, _CHAIN, sizes.chain_kills),
        run=Gated(),
        supervised=True,
    )
    return weather(kind, storm, sizes.rate_per_s)


def _kill(
    found: House, healing: Healing, rng: random.Random, labels: tuple[str, ...], rounds: int
) -> None:
    pause = threading.Event()
    for _ in range(rounds):
        pause.wait(rng.uniform(0.05, 0.45))
        label = rng.choice(labels)
        with healing.fault(found.client, [label.partition("#")[0]]):
            harm = found.workers.strike if rng.random() < 0.5 else found.workers.kill
            harm(label)
