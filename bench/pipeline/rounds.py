"""All contenders in turn, several times over: what disturbs one round disturbs all alike."""

import gc
import sys
from collections.abc import Callable
from functools import partial

from bench.pipeline import handwritten, rival
from bench.pipeline.findings import Rates
from bench.pipeline.ours import CONTENDERS
from bench.pipeline.payloads import readings
from bench.pipeline.sizes import Sizes
from bench.pipeline.trees import compare
from schemas.topology import Topology
from tests.servers.stream_server import StreamServer


def rounds(server: StreamServer, topology: Topology, sizes: Sizes) -> tuple[Rates, float]:
    """The rates of every contender, and the largest difference between our trees and River's."""
    timed = _timed(server, topology, sizes)
    rates: Rates = {name: [] for name in (*timed, "hst", "river_hst")}
    furthest = 0.0
    for number in range(sizes.rounds):
        # who comes behind whom matters by some 10 %, so every other round goes the other way
        for name in timed if number % 2 == 0 else reversed(timed):
            _settle_memory()
            rates[name].append(timed[name]())
        compared = compare(sizes.tree_rows)
        rates["hst"].append(compared.ours)
        rates["river_hst"].append(compared.river)
        furthest = max(furthest, compared.max_difference)
        print(f"round {number + 1} of {sizes.rounds}", file=sys.stderr, flush=True)
    return rates, furthest


def _settle_memory() -> None:
    """What is there already is not looked at by the collector, as in a worker's process."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _timed(
    server: StreamServer, topology: Topology, sizes: Sizes
) -> dict[str, Callable[[], float]]:
    client, url = server.client(), server.url
    few, many = readings(sizes.one_by_one), readings(sizes.messages)

    def ours(name: str) -> float:
        return sizes.messages / CONTENDERS[name].time_s(client, topology, sizes.messages)

    return {
        **{name: partial(ours, name) for name in CONTENDERS},
        "faststream": lambda: len(few) / rival.run(client, url, few, rival.one_by_one),
        "faststream_batch": lambda: len(many) / rival.run(client, url, many, rival.in_batches),
        "handwritten": lambda: len(few) / handwritten.run(client, url, few),
    }
