"""The ages of entries as a histogram that takes a whole batch at a time."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Ages(Collector):
    """Counts ages, in seconds, below each of ``bounds_s``, apart for each tuple of labels.

    One call a batch rather than one an entry: an entry costs well under a microsecond.

    >>> ages = Ages("doctest_seconds", "Ages.", ("stream",), (0.1, 1.0))
    >>> ages.add(("IN",), {0.05: 1, 0.1: 1, 0.5: 1, 2.0: 1})
    >>> [(s.labels.get("le"), s.value) for s in next(ages.collect()).samples]
    [('0.1', 2.0), ('1.0', 3.0), ('+Inf', 4.0), (None, 4.0), (None, 2.65)]
    """

    def __init__(
        self, name: str, text: str, labels: Sequence[str], bounds_s: Sequence[float]
    ) -> None:
        self._name = name
        self._text = text
        self._labels = tuple(labels)
        self._bounds_s = tuple(bounds_s)
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def expect(self, labels: tuple[str, ...]) -> None:
        """Let a series begin at zero."""
        self._sums.setdefault(labels, 0.0)
        self._counts.setdefault(labels, [0] * (len(self._bounds_s) + 1))

    def add(self, labels: tuple[str, ...], ages_s: Mapping[float, int]) -> None:
        """Count ages, and how many have each, under one tuple of label values.

        One below zero (clocks differ) is zero.
        """
        self.expect(labels)
        counts, bounds_s = self._counts[labels], self._bounds_s
        for age_s, number in ages_s.items():
            counts[bisect_left(bounds_s, age_s)] += number
            self._sums[labels] += max(0.0, age_s) * number

    def collect(self) -> Iterator[Metric]:
        """The histogram as it stands."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        names = [*map(str, self._bounds_s), "+Inf"]
        for labels, counts in list(self._counts.items()):
            buckets = list(zip(names, map(float, accumulate(counts)), strict=True))
            family.add_metric(labels, buckets, self._sums[labels])
        yield family
