"""How long to wait before a process that ended is started again."""

import random
from collections.abc import Callable


class Backoff:
    """Waits that double from ``first_s`` to ``most_s``, and begin anew after a calm run.

    Each is shortened by a random share of up to a half, so that processes which ended together do
    not start together. There is no last try.

    >>> backoff = Backoff(random_share=lambda: 1.0)
    >>> [backoff.wait_s(ran_s=1.0) for _ in range(8)]
    [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    >>> backoff.wait_s(ran_s=31.0)
    0.5
    """

    def __init__(
        self,
        *,
        first_s: float = 0.5,
        most_s: float = 30.0,
        calm_s: float = 30.0,
        random_share: Callable[[], float] = random.random,
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._calm_s = calm_s
        self._random_share = random_share
        self._tries = 0

    def wait_s(self, ran_s: float) -> float:
        """Seconds to wait after a run of ``ran_s`` seconds."""
        if ran_s >= self._calm_s:
            self._tries = 0
        wait_s: float = min(self._most_s, self._first_s * 2.0 ** min(self._tries, 16))
        self._tries += 1
        return wait_s * (0.5 + self._random_share() / 2)

    def reset(self) -> None:
        """Begin anew: somebody asked for this start."""
        self._tries = 0
