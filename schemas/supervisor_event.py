"""What the supervisor did to keep the workers going, as entries of its own stream."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from schemas.model import Line, Model, Name, Version


class Action(StrEnum):
    """What the supervisor did, or saw done.

    ``restarted``: a process ended unasked, and is started again, at once by its keeper or after a
    pause by the supervisor. ``misconfigured``: a process ended by itself before it was ready.
    ``stalled``, ``silent``, ``memory_limit``, ``memory_growth``: a process is drained and replaced,
    since it settled nothing although entries waited, told nothing of itself, or held too much
    memory or ever more. ``killed``: it did not drain in time. ``deadline``: a handler went past its
    deadline, so its process ended and the delivery counts as an attempt. ``lease_broken``: what an
    ended process held is free. ``scaled``: a worker has more or fewer processes. ``reloaded``,
    ``reload_refused``: a changed topology file was applied, or cannot be. ``restarted_by_hand``,
    ``restart_refused``: somebody asked for new processes, and they could start, or could not.
    ``server_restarted``: the embedded stream server ended, and runs again.
    """

    RESTARTED = "restarted"
    MISCONFIGURED = "misconfigured"
    STALLED = "stalled"
    SILENT = "silent"
    MEMORY_LIMIT = "memory_limit"
    MEMORY_GROWTH = "memory_growth"
    KILLED = "killed"
    DEADLINE = "deadline"
    LEASE_BROKEN = "lease_broken"
    SCALED = "scaled"
    RELOADED = "reloaded"
    RELOAD_REFUSED = "reload_refused"
    RESTARTED_BY_HAND = "restarted_by_hand"
    RESTART_REFUSED = "restart_refused"
    SERVER_RESTARTED = "server_restarted"


Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
"""A number that stays whole where it is: a process id is no ``7.0``."""

Detail = Line | Number | bool
"""A value of an event's details."""


class SupervisorEvent(Model):
    """One thing that the supervisor did (an entry of ``SUPERVISOR_EVENTS``)."""

    schema_version: Version = "1.0"
    kind: Literal["supervisor"] = "supervisor"
    action: Action = Field(description="What it did.")
    worker: Name | None = Field(None, description="The worker concerned; none: all of them.")
    process: Name | None = Field(None, description="Its process, such as `gate.replica1`.")
    host: Name = Field(description="The machine that the supervisor runs on.")
    why: Line = Field(description="The reason in words, with the process's own where it left any.")
    at_s: Annotated[float, Field(ge=0.0, le=1e12, description="When, seconds since the epoch.")]
    details: Annotated[dict[Name, Detail], Field(max_length=16)] = Field(
        default_factory=dict, description="Figures that led to it."
    )
