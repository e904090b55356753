"""redis-py, imported without the OpenTelemetry SDK, which it takes wherever that is installed.

It does so for metrics that nobody here asks for. A worker that traces nothing need not pay for
them: measured, 40 ms and 2.4 MB a process.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden(package: str) -> Iterator[None]:
    """Let imports of a package fail as if it were not installed, unless it is imported already.

    >>> with hidden("wave"):
    ...     import wave
    Traceback (most recent call last):
    ModuleNotFoundError: import of wave halted; None in sys.modules
    >>> import wave
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]


with hidden("opentelemetry"):
    import redis  # noqa: F401
