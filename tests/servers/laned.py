"""A topology of eight lanes whose outputs tell what was lost, doubled or out of order.

A gate, and a function with memory that numbers the readings of each sensor. Sensors are spread over
the lanes by their name, so each sensor's numbers have to run from 1 without a gap.
"""

import json
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

from schemas.message import Message
from schemas.topology import Topology
from streams.connection import Client
from streams.errors import ServerAway
from streams.presence import present
from streams.publish import Outgoing, Publisher
from streams.replicas import NO_COPIES, Copies
from tests.servers.pipeline import READING, SMALL, all_entries, data_of, reading

LANES = 8
SENSORS = [f"s{number}" for number in range(40)]
LANED: dict[str, Any] = {
    **SMALL,
    "lanes": LANES,
    "delivery": {"lease": "1s", "block": "100ms", "trim_every": "200ms"},
    "streams": {
        **SMALL["streams"],
        "OK": {"schema": READING, "layer": 3, "retention": {"age": "1h"}},
        "OUT": {"schema": READING, "sink": True, "layer": 3},
    },
    "workers": {
        **SMALL["workers"],
        "numbered": {
            "kind": "transform",
            "call": "tests.servers.laned:numbered",
            "reads": ["OK"],
            "writes": ["OUT"],
            "max_batch": 50,
            "checkpoint_every": "200ms",
            "memory": True,
        },
    },
}


def numbered(message: Message[Any], memory: dict[str, Any]) -> Any:
    """The reading, with the number of readings of its sensor so far."""
    sensor = message.event.sensor_id
    memory[sensor] = memory.get(sensor, 0) + 1
    measurements = {**message.event.measurements, "n": float(memory[sensor])}
    return message.event.model_copy(update={"measurements": measurements})


def outgoing(number: int) -> Outgoing:
    """The message of that number; its sensor chooses the lane."""
    sensor = SENSORS[number % len(SENSORS)]
    return Outgoing(reading(sensor, x=float(number)), id=f"m{number}", subject=sensor)


def lane_of(sensor: str) -> int:
    """The lane that the documentation says a subject goes to."""
    return crc32(sensor.encode()) % LANES


def publisher(client: Client) -> Publisher:
    return Publisher(client, lanes=LANES)


class Producer:
    """Publishes messages one by one in a thread, each until it is acknowledged.

    A message whose acknowledgement was lost is published again under the same id.
    """

    def __init__(self, client: Client, numbers: Iterable[int], copies: Copies = NO_COPIES) -> None:
        self.acknowledged: dict[int, str] = {}
        self._publisher = Publisher(client, lanes=LANES, copies=copies)
        self._numbers = list(numbers)
        self._pause = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for number in self._numbers:
            while number not in self.acknowledged:
                try:
                    done = self._publisher.publish("IN", outgoing(number))
                    self.acknowledged[number] = done.uid
                except ServerAway:
                    self._pause.wait(0.02)

    def finish(self, within_s: float = 40.0) -> None:
        """Wait until all are published."""
        self._thread.join(within_s)
        assert not self._thread.is_alive(), "the producer did not come to its end"


def results(client: Client, topology: Topology) -> dict[str, list[tuple[int, int]]]:
    """Per sensor, in the order of their lane: the message, and the number that it was given."""
    found: dict[str, list[tuple[int, int]]] = {}
    for data in data_of(all_entries(client, topology, "OUT")):
        event = json.loads(data)
        measured = event["measurements"]
        found.setdefault(event["sensor_id"], []).append((int(measured["x"]), int(measured["n"])))
    return found


def undisturbed(numbers: Iterable[int]) -> dict[str, list[tuple[int, int]]]:
    """The same for a run in which nothing went wrong."""
    found: dict[str, list[tuple[int, int]]] = {}
    for number in numbers:
        given = found.setdefault(SENSORS[number % len(SENSORS)], [])
        given.append((number, len(given) + 1))
    return found


def holders(client: Client, worker: str) -> Mapping[str, list[int]]:
    """The lanes that each live process of a worker takes entries of, by the process's name."""
    found: dict[str, list[int]] = {}
    for line in present(client, time.time()):
        if line.worker == worker:
            found.setdefault(line.consumer, []).extend([line.lane] if line.ready else [])
    return {name: sorted(lanes) for name, lanes in found.items()}


def shares(client: Client, worker: str) -> list[int]:
    """How many lanes each live process of a worker has, if each lane is taken once; else none."""
    held = holders(client, worker)
    if sorted(lane for lanes in held.values() for lane in lanes) != list(range(LANES)):
        return []
    return sorted(len(lanes) for lanes in held.values())
