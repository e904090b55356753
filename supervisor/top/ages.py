"""How old entries are when a worker commits them, from the histograms of its processes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families

_FAMILY = "penstock_entry_age_seconds"

Buckets = Mapping[float, float]
"""Entries not older than so many seconds, by that bound; the last bound is infinite."""


def buckets_of(page: str) -> Buckets:
    """The histogram of a process's metrics page, over all its lanes and streams."""
    lines = [line for line in page.splitlines() if line.startswith(f"{_FAMILY}_bucket")]
    found: dict[float, float] = defaultdict(float)
    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        for sample in family.samples:
            found[float(sample.labels["le"])] += sample.value
    return dict(found)


def added(pages: Iterable[Buckets]) -> Buckets:
    """Histograms of the same bounds as one.

    >>> added([{1.0: 2.0, 9.0: 3.0}, {1.0: 1.0, 9.0: 1.0}])
    {1.0: 3.0, 9.0: 4.0}
    """
    found: dict[float, float] = defaultdict(float)
    for page in pages:
        for bound, number in page.items():
            found[bound] += number
    return dict(found)


def since(before: Buckets, now: Buckets) -> Buckets:
    """What came between two looks; all of it, where a process has begun anew."""
    grown = {bound: number - before.get(bound, 0.0) for bound, number in now.items()}
    return now if any(number < 0 for number in grown.values()) else grown


def quantile_s(buckets: Buckets, share: float) -> float | None:
    """The age that ``share`` of the entries do not exceed, in seconds; None without an entry.

    Within a bucket entries count as evenly spread; beyond the last finite bound it is that bound.

    >>> quantile_s({0.1: 50.0, 0.2: 100.0, float("inf"): 100.0}, 0.99)
    0.198
    """
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    wanted = share * buckets[bounds[-1]]
    for low, high in pairwise((0.0, *bounds)):
        below = buckets.get(low, 0.0)
        if buckets[high] >= wanted:
            if high == float("inf"):
                return low
            inside = buckets[high] - below
            return low + (high - low) * (wanted - below) / inside if inside else high
    return bounds[-1]
