"""How much is measured: in full, or as little as a comparison of ratios needs."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Load:
    """An open-loop load: messages a second, for how long, and every which one is marked.

    The marked ones are sure to become events; their share keeps the events some fifty a second.
    """

    rate_per_s: int
    lasts_s: float
    marked_every: int

    @property
    def messages(self) -> int:
        """How many messages that are."""
        return int(self.rate_per_s * self.lasts_s)


@dataclass(frozen=True)
class Sizes:
    """Messages and rounds. ``whole`` tells whether the parts in seconds and bytes run too."""

    rounds: int = 7
    messages: int = 20_000
    one_by_one: int = 4_000
    tree_rows: int = 5_000
    whole: bool = True
    loads: tuple[Load, ...] = (Load(100, 15, 2), Load(1_000, 50, 20), Load(5_000, 10, 50))
    warm_up: int = 4_000
    burst: int = 60_000
    bursts: int = 3
    lengths: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    lanes: tuple[int, ...] = field(default=(1, 8))


FULL = Sizes()
QUICK = Sizes(rounds=5, whole=False)
