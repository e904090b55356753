"""What a run publishes, in one order that is the same each time, and by which ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from supervisor.demo.broken import Broken
from supervisor.demo.data import Reading

Item = Reading | Broken
"""Anything that a run publishes."""

BROKEN = "broken"
"""Stands in the ids of broken messages where those of readings have their sensor."""

T = TypeVar("T", Reading, Broken)


@dataclass(frozen=True, slots=True)
class Place:
    """What an id says: which sensor (or ``broken``), and the number of its message."""

    sensor: str
    number: int


def prefix_of(run: str) -> str:
    """What all ids of a run begin with."""
    return f"demo/{run}/"


def id_of(run: str, item: Item) -> str:
    """The producer's id of an item in a run.

    >>> id_of("r1", Reading("shuttle", 7, {}))
    'demo/r1/shuttle/7'
    """
    sensor = item.sensor if isinstance(item, Reading) else BROKEN
    return f"{prefix_of(run)}{sensor}/{item.number}"


def place_of(run: str, its_id: str | None) -> Place | None:
    """What the id says, or None when it is not one of this run's.

    >>> place_of("r1", "demo/r1/shuttle/7"), place_of("r2", "demo/r1/shuttle/7")
    (Place(sensor='shuttle', number=7), None)
    """
    if its_id is None or not its_id.startswith(prefix_of(run)):
        return None
    sensor, _, number = its_id.removeprefix(prefix_of(run)).rpartition("/")
    return Place(sensor, int(number)) if sensor and number.isdigit() else None


def interleaved(*series: Sequence[Item]) -> list[Item]:
    """All items in one order in which each series is spread evenly over the whole.

    >>> readings = [Reading("a", n, {}) for n in range(4)]
    >>> [type(i).__name__ for i in interleaved(readings, [Broken(0, "no JSON", b"")])]
    ['Reading', 'Reading', 'Broken', 'Reading', 'Reading']
    """
    places = [
        ((at + 0.5) / len(items), number, item)
        for number, items in enumerate(series)
        for at, item in enumerate(items)
    ]
    places.sort(key=lambda place: place[:2])
    return [item for _, _, item in places]
