"""Numbered messages: each payload tells which message it is, through every worker."""

import random
import re
from collections.abc import Iterable

from tests.servers.pipeline import reading

_NUMBER = re.compile(rb'"n": ?(\d+)')


def numbered(n: int, sensor: str = "s1") -> bytes:
    """The ``n``-th payload, the same in every run: every 97th far off, a jump every 400."""
    rng = random.Random(n)
    x = rng.gauss(0, 1) + (40 if n % 97 == 96 else 0)
    y = rng.random() + (3.0 if n // 400 % 2 else 0.0)
    return reading(sensor, n=n, x=x, y=y)


def is_broken(n: int) -> bool:
    """Whether the ``n``-th message of ``mixed`` is one that the gate has to reject."""
    return n % 20 == 7


def mixed(n: int) -> bytes:
    """As ``numbered``, but every 20th payload is no JSON."""
    return b'{"n": %d' % n if is_broken(n) else numbered(n)


def numbers(payloads: Iterable[bytes | None]) -> list[int]:
    """The numbers of payloads; one without a number raises.

    >>> numbers([b'{"n": 17', b'{"n":4.0}'])
    [17, 4]
    """
    found = [_NUMBER.search(data or b"") for data in payloads]
    if None in found:
        raise ValueError(f"{found.count(None)} payloads have no number")
    return [int(match[1]) for match in found if match]
