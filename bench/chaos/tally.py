"""Counting: what should be there once, against what is there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Messages by number: missing somewhere, there more than once, there though never sent."""

    lost: set[int] = field(default_factory=set)
    twice: set[int] = field(default_factory=set)
    invented: set[int] = field(default_factory=set)

    def __or__(self, other: "Tally") -> "Tally":
        return Tally(
            self.lost | other.lost, self.twice | other.twice, self.invented | other.invented
        )

    def faults(self) -> list[str]:
        """In words, what the two counts of a row do not say."""
        if not self.invented:
            return []
        few = ", ".join(map(str, sorted(self.invented)[:5]))
        return [f"{len(self.invented)} messages stand where they should not: {few} …"]


def tally(expected: Iterable[int], found: Iterable[int]) -> Tally:
    """Compare what was found with what should be there, each exactly once.

    >>> tally([1, 2, 3], [2, 3, 3, 4])
    Tally(lost={1}, twice={3}, invented={4})
    """
    counted, wanted = Counter(found), set(expected)
    return Tally(
        lost=wanted - counted.keys(),
        twice={n for n, times in counted.items() if times > 1},
        invented=set(counted) - wanted,
    )
