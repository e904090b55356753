"""Eight lanes on a cluster of three masters and three replicas: masters die and slots move."""

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.chaos.result import Row, seconds
from bench.chaos.sizes import Sizes
from schemas.topology import Topology
from streams.connection import Client
from streams.errors import ServerAway
from streams.replicas import Copies
from tests.servers.cluster import Cluster, running_cluster
from tests.servers.laned import LANED, LANES, SENSORS, Producer, results, shares, undisturbed
from tests.servers.pipeline import settled, topology_from, until
from tests.servers.processes import workers

_PRODUCERS = 4  # each has sensors of its own, so that a sensor's messages keep their order
_PATIENCE_S = 600.0

Numbers = Mapping[str, list[tuple[int, int]]]
"""Per sensor, in order: the message, and the number that the function with memory gave it."""


@dataclass
class Harm:
    """What was done to the cluster, and how long it took to be whole again."""

    moved: int = 0
    killed: int = 0
    failover_s: list[float] = field(default_factory=list)


def lose_masters(kind: str, sizes: Sizes, rng: random.Random) -> Row:
    """Kill masters and move slots in turn under load; each publish waits for one replica."""
    count = sizes.clustered
    with _pipeline(kind) as (cluster, client, topology):
        producers = [
            Producer(cluster.client(), _of_producer(place, count), Copies(replicas=1))
            for place in range(_PRODUCERS)
        ]
        harm = _harm(cluster, sizes, rng)
        for producer in producers:
            producer.finish(_PATIENCE_S)
        until(lambda: _quiet(client, topology), _PATIENCE_S, "the settling of all messages")
        found = results(client, topology)
    acknowledged = sum(len(producer.acknowledged) for producer in producers)
    return _row(kind, sizes, found, acknowledged, harm)


def _of_producer(place: int, count: int) -> Iterator[int]:
    return (n for n in range(count) if n % len(SENSORS) % _PRODUCERS == place)


@contextmanager
def _pipeline(kind: str) -> Iterator[tuple[Cluster, Client, Topology]]:
    with (
        running_cluster(kind) as cluster,
        tempfile.TemporaryDirectory(prefix="penstock-chaos-") as directory,
        cluster.client() as client,
    ):
        topology = topology_from(LANED, Path(directory))
        with workers(cluster, Path(directory, "streams.yaml")) as found:  # type: ignore[arg-type]
            for name in ("gate", "numbered"):
                found.start(name)
            until(lambda: shares(client, "numbered") == [LANES] == shares(client, "gate"))
            yield cluster, client, topology


def _harm(cluster: Cluster, sizes: Sizes, rng: random.Random) -> Harm:
    harm, pause = Harm(), threading.Event()
    for number in range(sizes.cluster_rounds):
        pause.wait(rng.uniform(0.5, 1.5))
        key = f"IN{{{rng.randrange(LANES)}}}"
        if number % 2:
            cluster.move(key)
            harm.moved += 1
            continue
        started_s = time.monotonic()
        gone = cluster.kill_owner(key)
        cluster.await_failover(key, gone)
        harm.failover_s.append(time.monotonic() - started_s)
        harm.killed += 1
        gone.start()  # it comes back as a replica of the one that took its place
        until(partial(cluster.has_replica, key), 30.0, "a replica for the new master")
    return harm


def _quiet(client: Client, topology: Topology) -> bool:
    with suppress(ServerAway):
        return settled(client, topology)
    return False


def _row(kind: str, sizes: Sizes, found: Numbers, acknowledged: int, harm: Harm) -> Row:
    seen = Counter(number for given in found.values() for number, _ in given)
    return Row(
        fault="masters killed and slots moved, 8 lanes",
        server=f"{kind} cluster",
        rounds=sizes.cluster_rounds,
        published=acknowledged,
        lost=sizes.clustered - len(seen),
        duplicated=sum(times - 1 for times in seen.values()),
        events_equal=dict(found) == undisturbed(range(sizes.clustered)),
        recovered_s=seconds(harm.failover_s),
        details={"masters killed": harm.killed, "slots moved": harm.moved},
    )
