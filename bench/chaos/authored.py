"""Functions of transforms, as a pipeline author would write them; the worst are poison."""

import os
import time
from collections.abc import Iterator
from typing import Any

from schemas.message import Derived, Message

SORTS: dict[str, tuple[str, ...]] = {
    "raises": ("RuntimeError: poison",),
    "exits": ("its worker ended",),
    "eats": ("MemoryError", "its worker ended"),
    "loops": ("its worker ended",),
    "breaks": ("OutputRefused",),
}
"""The sorts of poison, and how the error in the dead letter may begin. What eats memory raises, or
goes past the deadline before the limit is reached, or takes the process with it.
"""


def through(message: Message[Any]) -> Any:
    """Pass the event on."""
    return message.event


def slowly(message: Message[Any]) -> Any:
    """Pass the event on, after a while: whoever is frozen is frozen with work in hand."""
    time.sleep(0.001)
    return message.event


def summing(message: Message[Any], memory: dict[str, Any]) -> Iterator[Derived]:
    """Emit the running sum at every 25th reading, with all 25 as its parents."""
    memory["sum"] = memory.get("sum", 0.0) + message.event.measurements["x"]
    memory["seen"] = [*memory.get("seen", []), message.uid]
    if len(memory["seen"]) == 25:
        event = message.event.model_dump(mode="json") | {"measurements": {"sum": memory["sum"]}}
        yield Derived(event, parents=memory["seen"])
        memory["seen"] = []


def swallow(message: Message[Any]) -> None:
    """Make nothing of it."""


def poisonous(message: Message[Any]) -> Any:
    """Pass the event on, unless its sensor is named after a sort of poison."""
    match message.event.sensor_id:
        case "raises":
            raise RuntimeError("poison")
        case "exits":
            os._exit(1)
        case "eats":
            eaten = []
            while True:
                eaten.append(bytearray(16 * 1024 * 1024))
        case "loops":
            while True:
                pass
        case "breaks":
            return {"kind": "no such event"}
    return message.event
