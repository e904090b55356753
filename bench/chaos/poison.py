"""Entries that no worker can handle, of five sorts, among very many that are sound."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from bench.chaos.authored import SORTS
from bench.chaos.house import House, house
from bench.chaos.payloads import numbered, numbers
from bench.chaos.result import Row, seconds
from bench.chaos.sizes import Sizes
from bench.chaos.tally import tally
from bench.chaos.topologies import poisoned
from schemas.settlements import DeadLetter
from streams.entry import Entry
from streams.publish import Outgoing, Publisher

APART_S = {"raises": 0.9, "breaks": 0.9, "eats": 3.6, "exits": 1.2, "loops": 3.6}
"""Seconds between two entries of a sort, on average. They are never closer than ``_LEAST`` of it,
which is more than it takes to bury one: what is measured is the delay by one entry, not by two.
"""
_LEAST = 0.75

_MOST_BYTES = 700_000_000
_CHUNK = 10


def poison(kind: str, sizes: Sizes, rng: random.Random) -> Row:
    """Each sort in turn, so that the delay of its neighbours can be told apart."""
    with house(kind, poisoned(), supervised=True, most_bytes=_MOST_BYTES) as found:
        found.start("pass")  # alone: nobody else serves what waits behind the guilty entry
        found.until_groups_exist()
        plan = _plan(sizes, rng)
        starts = _bury(found, sizes, plan)
        total = sizes.poison_each * sizes.poison_apart * len(SORTS)
        sound = [n for n in range(total) if n not in plan]
        counted = tally(sound, numbers(found.data("OUT")))
        faults, delays = counted.faults() + _misburied(found, plan), _delays_s(found, sizes)
        buried_s = [_waited_s(entry) for entry in found.entries("DEAD_LETTER")]
    return Row(
        fault="poison of five sorts",
        server=kind,
        rounds=len(plan),
        published=total,
        lost=len(counted.lost),
        duplicated=len(counted.twice),
        recovered_s=seconds(buried_s),
        faults=faults,
        details=delays | {"restarts": starts},
    )


def _bury(found: House, sizes: Sizes, plan: dict[int, str]) -> int:
    """Publish everything and wait until it is settled; how often a worker was started again."""
    with _revived(found) as starts:
        _publish(found, sizes, plan)
        _until_settled(found)
    found.workers.stop()
    return starts[0]


def _plan(sizes: Sizes, rng: random.Random) -> dict[int, str]:
    """Which messages are poison, and of which sort."""
    found, start = {}, 0
    for sort in APART_S:
        for _ in range(sizes.poison_each):
            at = rng.randrange(round(sizes.poison_apart * (1 - _LEAST)))
            found[start + at] = sort
            start += sizes.poison_apart
    return found


def _publish(found: House, sizes: Sizes, plan: dict[int, str]) -> None:
    publisher, pause = Publisher(found.client), threading.Event()
    numbers_left = count()
    for apart_s in APART_S.values():
        messages = sizes.poison_each * sizes.poison_apart
        pause_s = apart_s * sizes.poison_pace * _CHUNK / sizes.poison_apart
        due_s = time.monotonic()
        for _ in range(messages // _CHUNK):
            chunk = [next(numbers_left) for _ in range(_CHUNK)]
            publisher.publish_batch("IN", [Outgoing(numbered(n, plan.get(n, "s1"))) for n in chunk])
            due_s += pause_s
            pause.wait(max(0.0, due_s - time.monotonic()))


def _until_settled(found: House) -> None:
    """Wait until all is settled; what restarts meanwhile is not the same process any more."""
    deadline_s, pause = time.monotonic() + 120, threading.Event()
    while not found.settled():
        assert time.monotonic() < deadline_s, "the poison was not buried in two minutes"
        pause.wait(0.05)


@contextmanager
def _revived(found: House) -> Iterator[list[int]]:
    """Start again what ends, as a supervisor would; yields how often."""
    starts, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            starts[0] += len(found.workers.revive())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield starts
    finally:
        ended.set()
        thread.join()


def _misburied(found: House, plan: dict[int, str]) -> list[str]:
    """In words: poison that is no dead letter, sound messages that are, and wrong reasons."""
    entries = found.entries("DEAD_LETTER")
    names = numbers(entry.get(b"original.data") for entry in entries)
    letters = [DeadLetter.model_validate_json(entry.get(b"data") or b"") for entry in entries]
    counted = tally(plan, names)
    faults = [f"{plan[n]} {n} was not buried" for n in counted.lost]
    if counted.twice:
        faults.append(f"{len(counted.twice)} messages were buried twice")
    if counted.invented:
        faults.append(f"{len(counted.invented)} sound messages were buried")
    for n, letter in zip(names, letters, strict=True):
        if n in plan and not letter.error.startswith(SORTS[plan[n]]):
            faults.append(f"{plan[n]} {n} was buried for {letter.error!r}")
    return faults


def _delays_s(found: House, sizes: Sizes) -> dict[str, float | int | str]:
    """The longest time from IN to OUT of a sound message, by the sort of poison beside it."""
    came = dict(
        zip(
            (entry.uid for entry in found.entries("IN")),
            range(sizes.poison_each * sizes.poison_apart * len(SORTS)),
            strict=True,
        )
    )
    longest = dict.fromkeys(APART_S, 0.0)
    of_a_sort = sizes.poison_each * sizes.poison_apart
    for entry in found.entries("OUT"):
        uid = (entry.get(b"parents") or b"").decode()
        sort = list(APART_S)[came[uid] // of_a_sort]
        longest[sort] = max(longest[sort], _waited_s(entry))
    return {f"longest_delay_{sort}_s": round(longest_s, 3) for sort, longest_s in longest.items()}


def _waited_s(entry: Entry) -> float:
    """Seconds between the entry of IN that this one was made of and itself."""
    entry_id = (entry.get(b"parents") or b"").decode().partition("/")[2]
    return (entry.at_ms - int(entry_id.partition("-")[0])) / 1000
