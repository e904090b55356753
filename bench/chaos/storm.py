"""The course of a fault that is made many times under load, and the verdict on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.chaos.healing import Healing
from bench.chaos.house import House, house
from bench.chaos.payloads import is_broken, numbers
from bench.chaos.producer import Producer, Send
from bench.chaos.result import Row, seconds
from bench.chaos.stateful import Run, compare
from bench.chaos.tally import Tally, tally
from tests.servers.processes import ROOT


@dataclass(frozen=True)
class Storm:
    """A fault and the pipeline it is made in.

    ``labels`` are the worker processes; ``send`` publishes while ``harm`` makes the faults.
    ``run`` is how the same messages go through undisturbed. ``look`` finds, before that, what
    else is wrong, in words. ``copies`` is how many entries ``send`` makes of a message.
    """

    fault: str
    rounds: int
    tree: dict[str, Any]
    labels: tuple[str, ...]
    send: Send
    harm: Callable[[House, Healing], None]
    run: Run
    look: Callable[[House], list[str]] = lambda _: []
    copies: int = 1
    supervised: bool = False
    appendfsync: str = "everysec"
    code: Path = ROOT


def weather(kind: str, storm: Storm, rate_per_s: float) -> Row:
    """Go through the storm on a kind of server, then through the same without it."""
    with house(
        kind,
        storm.tree,
        supervised=storm.supervised,
        code=storm.code,
        appendfsync=storm.appendfsync,
    ) as found:
        told, times_s = _disturbed(found, storm, rate_per_s)
        counted = count_gated(found, told)
        faults = counted.faults() + buried(found) + storm.look(found)
        equal, differences, details = compare(found, storm.run, told)
    return Row(
        fault=storm.fault,
        server=kind,
        rounds=storm.rounds,
        published=storm.copies * told,
        lost=len(counted.lost),
        duplicated=len(counted.twice),
        events_equal=equal,
        recovered_s=seconds(times_s),
        faults=faults + differences,
        details=details,
    )


def _disturbed(found: House, storm: Storm, rate_per_s: float) -> tuple[int, list[float]]:
    """How many messages were acknowledged, and how long each recovery took."""
    with Healing(found.server, found.topology) as healing:
        with Producer(found.server, storm.send, rate_per_s) as producer:
            found.start(*storm.labels)
            found.until_groups_exist()
            storm.harm(found, healing)
        found.finish()
    return producer.told, healing.times_s


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
