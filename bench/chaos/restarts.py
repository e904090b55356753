"""``kill -9`` of the server itself, which keeps its append-only file with ``always``."""

import random
import threading

from bench.chaos.healing import Healing
from bench.chaos.house import House, house
from bench.chaos.kills import buried, calm_chain, count_gated
from bench.chaos.payloads import mixed
from bench.chaos.producer import Producer, with_ids
from bench.chaos.result import Row, seconds
from bench.chaos.sizes import Sizes
from bench.chaos.stateful import STATEFUL, by_number, compare
from bench.chaos.topologies import chain

_NAMES = ("gate", "pass", *STATEFUL)


def restart_server(kind: str, sizes: Sizes, rng: random.Random) -> Row:
    """The server dies under load and comes back; the publisher repeats what was not acknowledged."""
    with house(kind, chain(), appendfsync="always") as found:
        with Healing(found.server, found.topology) as healing:
            with Producer(found.server, with_ids(mixed), sizes.rate_per_s) as producer:
                found.start(*_NAMES)
                _restart(found, healing, rng, sizes.restarts)
            found.finish()
        told = producer.told
        counted = count_gated(found, told)
        faults = counted.faults() + buried(found)
        emitted = by_number(found)
        equal, differences, counts = compare(
            found, emitted, lambda: calm_chain(found, told), by_number
        )
    return Row(
        fault="kill -9 of the server, appendfsync always",
        server=kind,
        rounds=sizes.restarts,
        published=told,
        lost=len(counted.lost),
        duplicated=len(counted.twice),
        events_equal=equal,
        recovered_s=seconds(healing.times_s),
        faults=faults + differences,
        details=counts,
    )


def _restart(found: House, healing: Healing, rng: random.Random, rounds: int) -> None:
    pause = threading.Event()
    pause.wait(1.0)
    for _ in range(rounds):
        pause.wait(rng.uniform(0.3, 1.5))
        with healing.fault(found.client, _NAMES):
            found.server.kill()
        found.server.start()
