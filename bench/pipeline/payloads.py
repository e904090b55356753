"""What the benchmarks send: seeded sensor readings of some 240 bytes with five fields."""

import random
from functools import cache

from tests.servers.pipeline import reading

SEED = 11
SPIKE = 60.0
"""What ``f0`` is in a marked reading; else it is normal around 0 with deviation 1."""


@cache
def readings(count: int, *, sensors: int = 1, marked_every: int = 0) -> tuple[bytes, ...]:
    """Payloads of ``sensors`` in turn; every ``marked_every``-th is marked (0: none).

    >>> [b"60.0" in data for data in readings(4, marked_every=2)]
    [False, True, False, True]
    """
    rng = random.Random(SEED)
    return tuple(
        _reading(
            rng, f"pump-{i % sensors}", marked_every > 0 and i % marked_every == marked_every - 1
        )
        for i in range(count)
    )


def _reading(rng: random.Random, sensor: str, marked: bool) -> bytes:
    fields = {f"f{k}": round(rng.gauss(k, 1), 4) for k in range(5)}
    return reading(sensor, **(fields | {"f0": SPIKE} if marked else fields))
