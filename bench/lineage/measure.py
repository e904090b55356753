"""Fill a store, trace in it, and verify it."""

import random
import statistics
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.lineage.history import HOPS, LAYERS, OUTPUTS, edges_of, history, uid_of
from bench.lineage.result import Traced, Verified, Written, percentile_ms
from lineage.chain import ChainKey
from lineage.model import StampedRecord
from lineage.store import LineageStore, StoreSettings, open_store
from lineage.trace import Direction, fetch
from lineage.verify import verify

SECRET = b"the key of the benchmark"
RECORDS = 8
"""Records of one write, each of a full batch: what a lineage worker that is behind reads."""

WARM_UP = 120
"""Records before the clock starts for a server that compiles while it runs."""

PLACES: dict[tuple[Direction, int], int] = {
    ("up", 5): 5, ("up", 10): HOPS, ("down", 5): HOPS - 5, ("down", 10): 0
}  # fmt: skip
"""From which hop's stream a trace starts, so that it is so long."""


def fill(store: str, url: str, edges: int, *, warm: bool = False) -> Written:
    """Write a history of at least so many edges; making it up is no part of what is measured."""
    wanted, took_s, done, messages = edges, 0.0, 0, 0
    with open_store(StoreSettings(url, chain_key=SECRET), LAYERS) as opened:
        records = history(10**9)
        for _ in range(WARM_UP // RECORDS if warm else 0):
            _write(opened, list(islice(records, RECORDS)))
        while done < wanted:
            batch = list(islice(records, RECORDS))
            took_s += _write(opened, batch)
            done += sum(map(edges_of, batch))
            messages += len(batch) * OUTPUTS
        size = _size(url)
    return Written(
        store=store, edges=done, messages=messages, took_s=round(took_s, 3), size_bytes=size
    )


def _write(store: LineageStore, records: list[StampedRecord]) -> float:
    started_s = time.perf_counter()
    store.write(records)
    return time.perf_counter() - started_s


def trace(store: str, url: str, written: Written, samples: int, seed: int) -> Iterator[Traced]:
    """Trace random messages, as ``penstock lineage trace`` does, on a connection of its own."""
    chance = random.Random(seed)
    per_stream = written.messages // HOPS - OUTPUTS  # the last batches may not have come far
    with open_store(url) as opened:
        for (direction, hops), start in PLACES.items():
            times_s, sizes = [], []
            for _ in range(samples):
                uid = uid_of(start, chance.randrange(per_stream))
                started_s = time.perf_counter()
                steps = fetch(opened, uid, direction).steps
                times_s.append(time.perf_counter() - started_s)
                sizes.append(len(steps))
            yield Traced(
                store=store,
                direction=direction,
                hops=hops,
                edges=written.edges,
                samples=samples,
                messages=round(statistics.median(sizes)),
                p50_ms=percentile_ms(times_s, 50),
                p99_ms=percentile_ms(times_s, 99),
            )


def check(store: str, url: str) -> Verified:
    """Verify the whole store."""
    with open_store(url) as opened:
        started_s = time.perf_counter()
        found = verify(opened, ChainKey(SECRET))
        took_s = time.perf_counter() - started_s
    return Verified(store=store, rows=found.rows, took_s=round(took_s, 2), faults=len(found.faults))


def _size(url: str) -> int | None:
    scheme, _, path = url.partition(":")
    return Path(path).stat().st_size if scheme == "sqlite" else None
