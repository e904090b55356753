"""What a check finds: how grave it is, a sentence, and what to do about it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from schemas.topology import Topology
from streams.connection import Client
from streams.settings import ServerSettings
from supervisor.overview import WorkerView


class Level(StrEnum):
    """How grave a finding is, the gravest last."""

    OK = "ok"
    NOTICE = "notice"
    WARNING = "warning"
    FAULT = "fault"

    @property
    def rank(self) -> int:
        """Its place among the levels."""
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found; only ``ok`` has no remedy."""

    level: Level
    said: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at. ``servers`` are those that hold the lanes, by ``host:port``.

    ``supervised``: the workers as their supervisor sees them, none of them where it does not
    answer; None where none runs.
    """

    topology: Topology
    settings: ServerSettings
    client: Client
    servers: Mapping[str, Client]
    now_s: Callable[[], float]
    supervised: Mapping[str, WorkerView] | None = None


Check = Callable[[Patient], Iterator[Finding]]
"""Looks at one thing, and finds at least one."""


def ok(said: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, said)


def notice(said: str, remedy: str) -> Finding:
    """Good to know."""
    return Finding(Level.NOTICE, said, remedy)


def warning(said: str, remedy: str) -> Finding:
    """It works, and will not always."""
    return Finding(Level.WARNING, said, remedy)


def fault(said: str, remedy: str) -> Finding:
    """It does not work, or loses something."""
    return Finding(Level.FAULT, said, remedy)
