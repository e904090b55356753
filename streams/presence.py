"""Which worker processes are alive: each writes a line a lane with every heartbeat."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from streams.connection import Client, send
from streams.keys import PRESENCE
from streams.scripts import run_script

State = Literal["starting", "waiting", "standby", "replaying", "running", "draining"]
"""``waiting``: the server is away, or the lane is free; ``standby``: another process has it."""


def field_of(worker: str, consumer: str, lane: int) -> str:
    """The field of the hash that a process's line for a lane has."""
    return f"{worker}/{consumer}/{lane}"


class Presence(BaseModel):
    """A worker process on one lane, as it describes itself. Times are seconds since the epoch.

    ``port`` serves ``/metrics``, ``/livez`` and ``/readyz`` on ``host``; ``expires_at_s`` is when
    this line stops being true if it is not renewed; ``restarts`` counts how often the process that
    works ended by a fault, and was followed at once by another under the same pid.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    worker: str
    kind: str
    consumer: str
    lane: int
    pid: int
    restarts: int = 0
    host: str
    port: int
    version: str
    state: State
    ready: bool
    started_at_s: float
    expires_at_s: float
    rss_bytes: int

    @property
    def field(self) -> str:
        """Its field in the hash: a process has a line for each lane that it serves."""
        return field_of(self.worker, self.consumer, self.lane)

    @property
    def served(self) -> bool:
        """Whether the lane is served, by this process or by another."""
        return self.state in ("running", "standby")


def announce(client: Client, presence: Presence) -> None:
    """Write or renew a line."""
    run_script(client, "announce", [PRESENCE], [presence.field, presence.model_dump_json()])


def withdraw(client: Client, field: str) -> None:
    """Remove a line, when its process ended."""
    send(client, "HDEL", PRESENCE, field)


def present(client: Client, now_s: float) -> Sequence[Presence]:
    """The processes that are alive at ``now_s``, by worker; lines that ran out are removed."""
    lines: dict[bytes, bytes] = send(client, "HGETALL", PRESENCE)
    alive: list[Presence] = []
    for field, line in lines.items():
        presence = _parsed(line)
        if presence is not None and presence.expires_at_s > now_s:
            alive.append(presence)
        else:
            send(client, "HDEL", PRESENCE, field)
    return sorted(alive, key=lambda presence: presence.field)


def _parsed(line: bytes) -> Presence | None:
    try:
        return Presence.model_validate_json(line)
    except ValidationError:
        return None  # another version wrote it, and will write it again while it lives
