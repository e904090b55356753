"""Waiting for what is away: back-off with jitter, a word at the start and at the end."""

import math
import random
from collections.abc import Callable
from typing import Any

import structlog


class Backoff:
    """Says how long to wait before each further try; there is no last one.

    Waits double from ``first_s`` to ``most_s``, and begin anew after a run of ``calm_s`` seconds.
    Each is shortened by a random share of up to a half, so that those who stopped together do not
    come back together.

    >>> backoff = Backoff(first_s=0.5, most_s=30.0, calm_s=30.0, random_share=lambda: 1.0)
    >>> [backoff.next_s(ran_s=1.0) for _ in range(8)]
    [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    >>> backoff.next_s(ran_s=31.0)
    0.5
    """

    def __init__(
        self,
        *,
        first_s: float = 0.1,
        most_s: float = 5.0,
        calm_s: float = math.inf,
        random_share: Callable[[], float] = random.random,
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._calm_s = calm_s
        self._random_share = random_share
        self.tries = 0

    def next_s(self, ran_s: float = 0.0) -> float:
        """Count a try, which ran for ``ran_s`` seconds; return those to wait before the next."""
        if ran_s >= self._calm_s:
            self.reset()
        wait_s: float = min(self._most_s, self._first_s * 2.0 ** min(self.tries, 16))
        self.tries += 1
        return wait_s * (0.5 + self._random_share() / 2)

    def reset(self) -> None:
        """Begin with the shortest wait again."""
        self.tries = 0


class Outage:
    """One outage after the other: counts its tries, and tells when it begins and when it ends.

    How long to wait between tries is as in ``Backoff``.
    """

    def __init__(
        self,
        log: Any = None,
        *,
        first_s: float = 0.1,
        most_s: float = 5.0,
        random_share: Callable[[], float] = random.random,
    ) -> None:
        self._log = log or structlog.get_logger()
        self._backoff = Backoff(first_s=first_s, most_s=most_s, random_share=random_share)

    @property
    def lasting(self) -> bool:
        """Whether an outage is going on."""
        return self._backoff.tries > 0

    def failed(self, error: Exception) -> float:
        """Note a failed try; return the seconds to wait. The first of an outage is logged."""
        if not self.lasting:
            self._log.warning("server_away", error=str(error))
        return self._backoff.next_s()

    def over(self) -> None:
        """Note that the server is back; logged once an outage."""
        if self.lasting:
            self._log.info("server_back", tries=self._backoff.tries)
            self._backoff.reset()
