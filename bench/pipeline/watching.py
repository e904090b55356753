"""What watches a loop while it is timed: its metrics alone, nothing, or all and a scraper too."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.request import urlopen

from workers.health import HealthServer
from workers.metrics import Metrics
from workers.station import Station

Watch = Callable[[Station], AbstractContextManager[Metrics]]
"""Yields the metrics that a station's loop counts with."""

_SCRAPE_EVERY_S = 1.0  # the first one comes at once; Prometheus comes every 15 s


class Silent(Metrics):
    """Counts nothing: what a loop would cost if nobody could watch it."""

    def batch(self, settled: Sequence[Any], took_s: float | None, now_s: float) -> None:
        """Note nothing."""

    def committed(self, committed: Any, inputs: int) -> None:
        """Note nothing."""

    def trimmed(self, stream: str, entries: int) -> None:
        """Note nothing."""


@contextmanager
def metered(station: Station) -> Iterator[Metrics]:
    """The worker's own metrics, which nobody asks for."""
    yield Metrics(station.worker, station.settings.kind, time.time())


@contextmanager
def silent(station: Station) -> Iterator[Metrics]:
    """No metrics at all."""
    yield Silent(station.worker, station.settings.kind, time.time())


@contextmanager
def scraped(station: Station) -> Iterator[Metrics]:
    """The worker's own metrics on its own page, asked for once at least, and every second."""
    metrics = Metrics(station.worker, station.settings.kind, time.time())
    done, came = threading.Event(), threading.Event()
    health = HealthServer(metrics.registry, str, str, "127.0.0.1", 0)

    def scrape() -> None:
        while True:
            with urlopen(f"http://127.0.0.1:{health.port}/metrics", timeout=10) as page:
                page.read()
            came.set()
            if done.wait(_SCRAPE_EVERY_S):
                return

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield metrics
    finally:
        done.set()
        thread.join()
        health.close()
        assert came.is_set(), "nobody scraped"
