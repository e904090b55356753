"""Every fault of the suite, in the order in which they are made."""

import random
import time
from collections.abc import Callable, Sequence

from bench.chaos.bounded import bounded_memory
from bench.chaos.clustered import lose_masters
from bench.chaos.freezes import freeze_any
from bench.chaos.kills import kill_any, kill_chain
from bench.chaos.poison import poison
from bench.chaos.restarts import restart_server
from bench.chaos.result import Row
from bench.chaos.sizes import Sizes
from streams.errors import StreamsError

Fault = Callable[[str, Sizes, random.Random], Row]
"""Makes a fault on a kind of server, so much of it, with these random numbers."""

SERVERS = ("valkey", "redis")

FAULTS: dict[str, tuple[Fault, Sequence[str]]] = {
    "kills": (kill_any, SERVERS),
    "chain": (kill_chain, SERVERS),
    "freezes": (freeze_any, SERVERS),
    "restarts": (restart_server, SERVERS),
    "poison": (poison, SERVERS),
    "bounded": (bounded_memory, SERVERS),
    "cluster": (lose_masters, SERVERS),
}
"""By name: what makes it, and the servers it is made on."""


def make(name: str, server: str, sizes: Sizes, seed: int) -> Row:
    """Make one fault. A run that does not end as it should is a row that does not hold."""
    fault, _ = FAULTS[name]
    started_s = time.monotonic()
    try:
        row = fault(server, sizes, random.Random(f"{seed}/{name}/{server}"))
    except (AssertionError, StreamsError) as error:
        said = f"{name} did not come to its end: {error}"[:1000]
        row = Row(
            fault=name, server=server, rounds=0, published=0, lost=0, duplicated=0, faults=[said]
        )
    return row.model_copy(update={"took_s": round(time.monotonic() - started_s, 1)})
