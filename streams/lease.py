"""A consumer's lease: it lives by heartbeat, and its token fences off whoever slept through it."""

from typing import Any

from streams.connection import Client, send
from streams.keys import Lane
from streams.scripts import run_script

OWNER = "owner"
"""The consumer name of whoever owns a lane alone."""


class Lease:
    """The right of one consumer to commit for one group on one lane.

    While it is held, nobody claims the consumer's pending entries. A commit carries the token;
    the commit script refuses any other. A holder that lost it has to acquire it anew and to read
    its state and pending entries again.
    """

    def __init__(self, client: Client, lane: Lane, group: str, consumer: str, ttl_s: float) -> None:
        self.consumer = consumer
        self.ttl_s = ttl_s
        self.token: str | None = None
        self._client = client
        self._keys = [lane.lease(group, consumer), lane.epoch]

    @property
    def key(self) -> str:
        """The key that lives as long as the lease."""
        return self._keys[0]

    def acquire(self, holder: str) -> bool:
        """Take the lease if it is free, or this holder's already; whether it is ours now."""
        token = self._run("acquire", holder)
        self.token = bytes(token).decode() if token else None
        return self.token is not None

    def taken(self) -> bool:
        """Whether anybody has the lease."""
        return bool(send(self._client, "EXISTS", self.key))

    def renew(self) -> bool:
        """Extend the lease by its time to live; False when it is no longer ours."""
        return self.token is not None and bool(self._run("renew", self.token))

    def release(self) -> None:
        """Give the lease back, so that the next holder need not wait for it to run out."""
        if self.token is not None:
            self._run("release", self.token)
            self.token = None

    def _run(self, verb: str, token: str) -> Any:
        args = [verb, int(self.ttl_s * 1000), token]
        return run_script(self._client, "lease", self._keys, args)


def break_lease(client: Client, lane: Lane, group: str, holder: str) -> bool:
    """End the lease of a process that is known to be dead; whether it had one.

    Only who saw the process end may call it: its entries are taken over at once, rather than
    when the lease runs out.
    """
    return any(
        run_script(client, "lease", [lane.lease(group, consumer), lane.epoch], ["break", 0, holder])
        for consumer in (holder, OWNER)
    )
