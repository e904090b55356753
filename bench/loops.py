"""How near each worker's loop comes to the bare loop: ``python -m bench.loops``.

The bare loop reads a batch and commits it, each entry forwarded, nothing looked at. Each other
loop does the same and its worker's job. All run in turn in one process against one embedded
server, so the ratios hold although the machine is shared; absolute figures do not.
"""

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.topology import Topology
from schemas.topology_file import load_topology
from streams.checkpoint import Seal
from streams.connection import Client, connect, send
from streams.embedded import EmbeddedServer
from streams.entry import Entry, Output, Settled
from streams.keys import Lane
from streams.publish import Outgoing, Publisher
from workers.handler import Handler
from workers.kinds import build_handler
from workers.station import take_station

MESSAGES, BATCH, ROUNDS, SEED = 20_000, 500, 5, 11
STREAMS = {"bare": "L3_IN", "gate": "L3_IN", "anomaly": "L3", "drift": "L3", "assess": "L3"}


class Bare:
    """Forwards everything and looks at nothing."""

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """One output an entry, its fields as they are."""
        return [Settled(entry, outputs=[Output("L3", entry.fields)]) for entry in batch]


def payloads() -> list[bytes]:
    """Seeded sensor readings of some 240 bytes with five fields."""
    rng = random.Random(SEED)
    security = {"tenant": "acme", "classification": "SECRET"}
    fixed = {"kind": "sensor_reading", "schema_version": "1.0", "security": security}
    return [
        json.dumps(
            fixed
            | {
                "sensor_id": "pump-7",
                "measurements": {f"f{k}": round(rng.gauss(k, 1), 4) for k in range(5)},
            }
        ).encode()
        for _ in range(MESSAGES)
    ]


def rate(client: Client, topology: Topology, worker: str, handler: Handler) -> float:
    """Messages a second of one run of a worker's read, handle and commit over full batches."""
    send(client, "FLUSHALL")
    Publisher(client).publish_batch(STREAMS[worker], [Outgoing(data) for data in payloads()])
    name = "gate" if worker == "bare" else worker
    station = take_station(client, topology, name, Lane(), Seal(b"a key for the bench"))
    station.lease.acquire(station.holder)
    station.reader.ensure_groups()
    station.lease.renew()
    done, started_s = 0, time.perf_counter()
    while done < MESSAGES:
        batch = station.reader.read(BATCH, 0.1)
        station.committer.commit(handler.handle(batch), at_ms=1)
        done += len(batch)
    return MESSAGES / (time.perf_counter() - started_s)


def measure(client: Client, topology: Topology) -> dict[str, float]:
    """The median rate of each loop over rounds in which each runs once."""
    makers: dict[str, Callable[[], Handler]] = {
        name: (lambda name=name: build_handler(topology, name, Lane()))  # type: ignore[misc]
        for name in STREAMS
        if name != "bare"
    }
    makers["bare"] = Bare
    rates: dict[str, list[float]] = {name: [] for name in STREAMS}
    for _ in range(ROUNDS):
        for name in STREAMS:
            rates[name].append(rate(client, topology, name, makers[name]()))
    return {name: statistics.median(found) for name, found in rates.items()}


def main() -> None:
    """Measure and print a table."""
    topology = load_topology(Path("streams.yaml"))
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedServer(Path(directory))
        client = connect(server.start().url)
        try:
            medians = measure(client, topology)
        finally:
            client.close()
            server.stop()
    print(f"{'loop':<10}{'messages/s':>12}{'of bare':>10}   (medians of {ROUNDS})")
    for name, median in medians.items():
        print(f"{name:<10}{median:>12,.0f}{median / medians['bare']:>10.2f}")


if __name__ == "__main__":
    main()
