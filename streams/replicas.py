"""Waiting until replicas have what was written: what is acknowledged then outlives a failover.

Replication is asynchronous: a master that dies takes with it what its replicas had not received.
``WAIT`` bounds that to nothing, at the price of a round trip to the replicas.
"""

from dataclasses import dataclass
from typing import Any

from redis import Redis

from streams.cluster import ClusterClient, on_one_connection
from streams.connection import Client, leaving_replicas
from streams.errors import ServerAway


@dataclass(frozen=True, slots=True)
class Copies:
    """How many ``replicas`` have to have a write, and how long to wait for them, in seconds."""

    replicas: int = 0
    within_s: float = 1.0


NO_COPIES = Copies()


def send_and_wait(client: Client, copies: Copies, *command: Any) -> Any:
    """Send one command that writes; return its reply once the replicas have it.

    Raises ServerAway when they have it not in time. It is written then, but a failover may lose
    it: write it again in a way that does no harm twice.
    """

    def ask(node: Redis, asking: bool) -> tuple[Any, int]:
        first = [("ASKING",)] if asking else []
        wait = ("WAIT", copies.replicas, max(1, int(copies.within_s * 1000)))
        *_, reply, found = on_one_connection(node, *first, command, wait)
        return reply, found

    with leaving_replicas(client):
        if isinstance(client, ClusterClient):
            reply, found = client.redirected(command, ask)
        else:
            reply, found = ask(client, False)
    if found < copies.replicas:
        raise ServerAway(
            f"{found} of {copies.replicas} replicas had the write after {copies.within_s:g} s"
        )
    return reply
