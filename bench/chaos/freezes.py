"""``SIGSTOP`` for longer than the lease, with another process that takes over, then ``SIGCONT``."""

import random
import threading
from pathlib import Path

from bench.chaos.healing import Healing
from bench.chaos.house import House
from bench.chaos.payloads import mixed, numbered
from bench.chaos.producer import mixed_and_fed
from bench.chaos.result import Row
from bench.chaos.sizes import Sizes
from bench.chaos.stateful import STATEFUL, Fed
from bench.chaos.storm import Storm, weather
from bench.chaos.topologies import parallel
from tests.servers.processes import ROOT

_NAMES = ("gate", "pass", *STATEFUL)
_LABELS = (*_NAMES, *(f"{name}#2" for name in _NAMES))
_LEASE_S = 0.5


def freeze_any(kind: str, sizes: Sizes, rng: random.Random, code: Path = ROOT) -> Row:
    """Two processes of every worker; the one that wakes must not commit what it still holds."""
    woken = []

    def look(found: House) -> list[str]:
        woken.append(_refusals(found))
        return []

    storm = Storm(
        fault="SIGSTOP longer than the lease",
        rounds=sizes.freezes,
        tree=parallel(f"{_LEASE_S * 1000:.0f}ms", function="slowly", lineage=False),
        labels=_LABELS,
        send=mixed_and_fed(mixed, numbered),
        harm=lambda found, healing: _freeze(found, healing, rng, sizes.freezes),
        run=Fed(),
        look=look,
        copies=2,
        code=code,
    )
    row = weather(kind, storm, sizes.rate_per_s)
    return row.model_copy(update={"details": row.details | {"lost_leases": sum(woken)}})


def _freeze(found: House, healing: Healing, rng: random.Random, rounds: int) -> None:
    pause = threading.Event()
    for _ in range(rounds):
        pause.wait(rng.uniform(0.05, 0.3))
        label = rng.choice(_LABELS)
        with healing.fault(found.client, [label.partition("#")[0]]):
            found.workers.freeze(label)
        pause.wait(rng.uniform(1.4, 2.4) * _LEASE_S)
        found.workers.thaw(label)


def _refusals(found: House) -> int:
    """How often a process that woke was told that its lease is another's."""
    logs = found.directory.glob("*.log")
    return sum(log.read_bytes().count(b'"lease_lost"') for log in logs)
