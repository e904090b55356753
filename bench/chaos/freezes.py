"""``SIGSTOP`` for longer than the lease, with another process that takes over, then ``SIGCONT``."""

import random
import threading
from pathlib import Path

from bench.chaos.healing import Healing
from bench.chaos.house import House, house
from bench.chaos.kills import buried, count_gated
from bench.chaos.payloads import mixed, numbered
from bench.chaos.producer import Producer, feed, mixed_and_fed
from bench.chaos.result import Row, seconds
from bench.chaos.sizes import Sizes
from bench.chaos.stateful import STATEFUL, compare, verbatim
from bench.chaos.topologies import storm
from tests.servers.processes import ROOT

_NAMES = ("gate", "pass", *STATEFUL)
_LABELS = (*_NAMES, *(f"{name}#2" for name in _NAMES))
LEASE_S = 0.5


def freeze_any(kind: str, sizes: Sizes, rng: random.Random, code: Path = ROOT) -> Row:
    """Two processes of every worker; the one that wakes must not commit what it still holds."""
    tree = storm(f"{LEASE_S * 1000:.0f}ms", function="slowly", lineage=False)
    with house(kind, tree, code=code) as found:
        send = mixed_and_fed(mixed, numbered)
        with Healing(found.server, found.topology) as healing:
            with Producer(found.server, send, sizes.rate_per_s) as producer:
                found.start(*_LABELS)
                _freeze(found, healing, rng, sizes.freezes)
            found.finish()
        told = producer.told
        counted = count_gated(found, told)
        faults = counted.faults() + buried(found)
        refused = _refusals(found)
        emitted = verbatim(found)

        def calm() -> None:
            feed(found.client, range(told), numbered)
            found.start(*STATEFUL)
            found.finish()

        equal, differences, counts = compare(found, emitted, calm, verbatim)
    return Row(
        fault="SIGSTOP longer than the lease",
        server=kind,
        rounds=sizes.freezes,
        published=2 * told,
        lost=len(counted.lost),
        duplicated=len(counted.twice),
        events_equal=equal,
        recovered_s=seconds(healing.times_s),
        faults=faults + differences,
        details=counts | {"lost_leases": refused},
    )


def _freeze(found: House, healing: Healing, rng: random.Random, rounds: int) -> None:
    pause = threading.Event()
    pause.wait(1.5)
    for _ in range(rounds):
        pause.wait(rng.uniform(0.05, 0.3))
        label = rng.choice(_LABELS)
        with healing.fault(found.client, [label.partition("#")[0]]):
            found.workers.freeze(label)
        pause.wait(rng.uniform(1.4, 2.4) * LEASE_S)
        found.workers.thaw(label)


def _refusals(found: House) -> int:
    """How often a process that woke was told that its lease is another's."""
    logs = found.directory.glob("*.log")
    return sum(log.read_bytes().count(b'"lease_lost"') for log in logs)
