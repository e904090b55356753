"""Waiting for a server that is away: back-off with jitter, a word at the start and at the end."""

import random
from collections.abc import Callable
from typing import Any

import structlog


class Backoff:
    """Says how long to wait before each further try.

    Waits grow from ``first_s`` by doubling to ``most_s``, each multiplied by a random factor in
    [0.5, 1.5), so that many workers do not come back at the same instant.
    """

    def __init__(
        self,
        *,
        first_s: float = 0.1,
        most_s: float = 5.0,
        random_share: Callable[[], float] = random.random,
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._random_share = random_share
        self.tries = 0

    def next_s(self) -> float:
        """Count a try; return the seconds to wait before the next."""
        wait_s: float = min(self._most_s, self._first_s * 2.0 ** min(self.tries, 16))
        self.tries += 1
        return wait_s * (0.5 + self._random_share())

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
