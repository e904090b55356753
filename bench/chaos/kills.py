"""``kill -9`` of random workers at random moments, under load."""

import random
import threading
from pathlib import Path

from bench.chaos.healing import Healing
from bench.chaos.house import House, house
from bench.chaos.payloads import is_broken, mixed, numbered, numbers
from bench.chaos.producer import Producer, feed, mixed_and_fed, with_ids
from bench.chaos.provenance import gaps
from bench.chaos.result import Row, seconds
from bench.chaos.sizes import Sizes
from bench.chaos.stateful import STATEFUL, by_number, compare, verbatim
from bench.chaos.tally import Tally, tally
from bench.chaos.topologies import chain, storm
from tests.servers.processes import ROOT

_STORM = ("gate", "gate#2", "pass", "pass#2", "lineage", *STATEFUL)
_CHAIN = ("gate", "pass", *STATEFUL)
_EMITTED = ("OK", "BAD", "OUT", "EVENTS", "DRIFTS", "SUMS")


def kill_any(kind: str, sizes: Sizes, rng: random.Random, code: Path = ROOT) -> Row:
    """Workers of every kind, two of those that share their work; nobody helps but the leases."""
    with house(kind, storm("500ms"), code=code) as found:
        send = mixed_and_fed(mixed, numbered)
        with Healing(found.server, found.topology) as healing:
            with Producer(found.server, send, sizes.rate_per_s) as producer:
                found.start(*_STORM)
                _kill(found, healing, rng, _STORM, sizes.kills)
            found.finish()
        told = producer.told
        counted = count_gated(found, told)
        faults = counted.faults() + buried(found) + gaps(found, _EMITTED)
        emitted = verbatim(found)

        def calm() -> None:
            feed(found.client, range(told), numbered)
            found.start(*STATEFUL)
            found.finish()

        equal, differences, counts = compare(found, emitted, calm, verbatim)
    return Row(
        fault="kill -9 of any worker",
        server=kind,
        rounds=sizes.kills,
        published=2 * told,
        lost=len(counted.lost),
        duplicated=len(counted.twice),
        events_equal=equal,
        recovered_s=seconds(healing.times_s),
        faults=faults + differences,
        details=counts,
    )


def kill_chain(kind: str, sizes: Sizes, rng: random.Random) -> Row:
    """One gate and what reads behind it, with a supervisor that settles what the dead leave."""
    with house(kind, chain(), supervised=True) as found:
        with Healing(found.server, found.topology) as healing:
            with Producer(found.server, with_ids(mixed), sizes.rate_per_s) as producer:
                found.start(*_CHAIN)
                _kill(found, healing, rng, _CHAIN, sizes.chain_kills)
            found.finish()
        told = producer.told
        counted = count_gated(found, told)
        faults = counted.faults() + buried(found)
        emitted = by_number(found)
        equal, differences, counts = compare(
            found, emitted, lambda: calm_chain(found, told), by_number
        )
    return Row(
        fault="kill -9 along a supervised chain",
        server=kind,
        rounds=sizes.chain_kills,
        published=told,
        lost=len(counted.lost),
        duplicated=len(counted.twice),
        events_equal=equal,
        recovered_s=seconds(healing.times_s),
        faults=faults + differences,
        details=counts,
    )


def calm_chain(found: House, told: int) -> None:
    """The same messages through the same chain, and nothing happens."""
    publish = with_ids(mixed)
    for start in range(0, told, 500):
        publish(found.client, range(start, min(start + 500, told)))
    found.start("gate", *STATEFUL)
    found.finish()


def _kill(
    found: House, healing: Healing, rng: random.Random, labels: tuple[str, ...], rounds: int
) -> None:
    pause = threading.Event()
    pause.wait(1.0)
    for _ in range(rounds):
        pause.wait(rng.uniform(0.05, 0.45))
        label = rng.choice(labels)
        with healing.fault(found.client, [label.partition("#")[0]]):
            found.workers.kill(label)


def count_gated(found: House, told: int) -> Tally:
    """Each message that was published stands once where it belongs: accepted and handled on, or
    rejected.
    """
    good = [n for n in range(told) if not is_broken(n)]
    broken = filter(is_broken, range(told))
    rejected = [entry.get(b"original.data") for entry in found.entries("BAD")]
    return (
        tally(good, numbers(found.data("OK")))
        | tally(good, numbers(found.data("OUT")))
        | tally(broken, numbers(rejected))
    )


def buried(found: House) -> list[str]:
    """In words, whether a message became a dead letter though nothing was wrong with it."""
    count = len(found.entries("DEAD_LETTER"))
    return [f"{count} sound messages became dead letters"] if count else []
