"""The reference topology with every worker in a process of its own, under load."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bench.chaos.house import House, house
from bench.pipeline.findings import Memory, Whole
from bench.pipeline.latency import measure
from bench.pipeline.pace import SENSORS
from bench.pipeline.payloads import SPIKE, readings
from bench.pipeline.sizes import Sizes
from streams.publish import Outgoing, Publisher
from tests.servers.pipeline import until
from tests.servers.processes import ROOT


def whole(sizes: Sizes) -> Whole:
    """Run it, and measure latency, throughput and memory in this order."""
    with _reference() as place:
        Publisher(place.client).publish_batch(
            "L3_IN", [Outgoing(d) for d in readings(sizes.warm_up, sensors=SENSORS)]
        )
        until(place.settled, 60, "that the detectors are warm")
        latencies = {load.rate_per_s: measure(place, load) for load in sizes.loads}
        throughput = [_burst(place, sizes.burst) for _ in range(sizes.bursts)]
        memory = {name: _memory(place, name) for name in place.workers.processes}
        return Whole(latencies=latencies, throughput=throughput, memory=memory)


def reference() -> dict[str, Any]:
    """``streams.yaml``, in which a limit makes sure that marked readings become events.

    The other detectors stay what they are. The marked readings are one long incident for each
    sensor, and every message of it has its event.
    """
    tree: dict[str, Any] = YAML(typ="safe").load(ROOT / "streams.yaml")
    limits = {"measurements.f0": [-SPIKE / 2, SPIKE / 2]}
    every = {"each": 1_000_000}
    tree["workers"]["anomaly"]["detectors"] = {"limits": {"limits": limits}, "incidents": every}
    return tree


@contextmanager
def _reference() -> Iterator[House]:
    with house("valkey", reference()) as place:
        place.start(*place.topology.workers)
        place.until_groups_exist()
        yield place


def _burst(place: House, messages: int) -> float:
    """Messages a second until every worker has settled a burst that was there at once."""
    outgoing = [Outgoing(d) for d in readings(messages, sensors=SENSORS)]
    for label in place.workers.processes:
        place.workers.freeze(label)
    Publisher(place.client).publish_batch("L3_IN", outgoing)
    started_s = time.monotonic()
    for label in place.workers.processes:
        place.workers.thaw(label)
    until(place.settled, 120, "that a burst is settled")
    return messages / (time.monotonic() - started_s)


def _memory(place: House, label: str) -> Memory:
    """The peak of the process that works; its share of all memory together with its keeper's."""
    (working,) = place.workers.working(label)
    both = (working, place.workers.processes[label].pid)
    return Memory(
        peak_rss_bytes=_kib(Path(f"/proc/{working}/status"), "VmHWM") * 1024,
        pss_bytes=sum(_kib(Path(f"/proc/{pid}/smaps_rollup"), "Pss") for pid in both) * 1024,
    )


def _kib(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
