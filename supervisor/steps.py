"""Work that is done a step at a time, between the looks of the main loop."""

from collections.abc import Generator

Steps = Generator[None, None, None]
"""Work that takes a while, done a step at each turn of the main loop."""


def nothing_to_do() -> Steps:
    """No step at all."""
    yield from ()
