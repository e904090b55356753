"""``kill -9`` of the server itself, which keeps its append-only file with ``always``."""

import random
import threading

from bench.chaos.healing import Healing
from bench.chaos.house import House
from bench.chaos.payloads import mixed
from bench.chaos.producer import with_ids
from bench.chaos.result import Row
from bench.chaos.sizes import Sizes
from bench.chaos.stateful import STATEFUL, Gated
from bench.chaos.storm import Storm, weather
from bench.chaos.topologies import chain

_NAMES = ("gate", "pass", *STATEFUL)


def restart_server(kind: str, sizes: Sizes, rng: random.Random) -> Row:
    """The server dies under load and comes back; what was not acknowledged is published again."""
    storm = Storm(
        fault="kill -9 of the server, appendfsync always",
        rounds=sizes.restarts,
        tree=chain(),
        labels=_NAMES,
        send=with_ids(mixed),
        harm=lambda found, healing: _restart(found, healing, rng, sizes.restarts),
        run=Gated(),
        appendfsync="always",
    )
    return weather(kind, storm, sizes.rate_per_s)


def _restart(found: House, healing: Healing, rng: random.Random, rounds: int) -> None:
    pause = threading.Event()
    for _ in range(rounds):
        pause.wait(rng.uniform(0.3, 1.5))
        with healing.fault(found.client, _NAMES):
            found.server.kill()
        found.server.start()
