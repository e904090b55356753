"""Where a rendered pipeline runs, and what every way of running it has in common."""

import math
import re
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import SplitResult, urlsplit

from schemas.topology import AnyWorker, LineageWorkerSettings, Topology
from supervisor.errors import SupervisorError

PORT = 9464
"""Where a worker serves its pages, where it has an address of its own."""

USER = 10001
"""The user of the image."""

_KEEPER_BYTES = 64 * 2**20
_DEFAULT_BYTES = 512 * 2**20
_DRAIN_S = 20
_LONGEST = 52  # of a name, so that what others put before or behind it still fits in 63
_SCHEMES = frozenset(
    f"{scheme}{how}" for scheme in ("redis", "rediss") for how in ("", "+cluster", "+sentinel")
)


class CannotRender(SupervisorError):
    """The topology, or an option, asks for what the place cannot have."""


@dataclass(frozen=True, slots=True)
class Where:
    """The surroundings of the workers. ``redis`` and ``neo4j`` are URLs without passwords."""

    image: str
    redis: str
    neo4j: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.redis)
        if parts.scheme not in _SCHEMES or not parts.netloc:
            raise CannotRender(
                f"{parts.scheme}://{parts.netloc.rpartition('@')[2]} is no URL of a stream server; "
                "write redis://host:6379/0"
            )
        if "@" in parts.netloc or "@" in urlsplit(self.neo4j).netloc:
            raise CannotRender(
                "a URL has a user or a password in it; leave them out: the password comes from "
                "the secret 'redis_password', user and password of Neo4j from 'neo4j_auth'"
            )

    @property
    def server(self) -> SplitResult:
        """The parts of the stream server's URL."""
        return urlsplit(self.redis)

    @property
    def addresses(self) -> list[str]:
        """Host and port of each server that the URL names."""
        usual = 26379 if self.server.scheme.endswith("+sentinel") else 6379
        places = self.server.netloc.split(",")
        return [p if re.search(r":\d+$", p) else f"{p}:{usual}" for p in places]


def names_of(topology: Topology) -> dict[str, str]:
    """A name for each worker's objects, fit for a DNS label: the pipeline's name and its own.

    Raises CannotRender where two workers would get the same.
    """
    found: dict[str, str] = {}
    for worker in topology.workers:
        name = label(f"{topology.name}-{worker}")
        if name in found.values():
            raise CannotRender(
                f"worker {worker!r} and another one would both be called {name!r}, since '_' "
                "becomes '-'; rename one"
            )
        found[worker] = name
    return found


def label(text: str) -> str:
    """A text as a DNS label; a long one is cut, and told apart by a digest.

    >>> label("my_pipeline-gate_")
    'my-pipeline-gate'
    >>> len(label("x" * 63))
    52
    """
    name = text.replace("_", "-").strip("-")
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9].rstrip('-')}-{sha256(text.encode()).hexdigest()[:8]}"


def memory_mib(settings: AnyWorker) -> int:
    """The limit of a worker's memory: its own and what its keeper needs, in MiB."""
    own = _DEFAULT_BYTES if settings.max_memory is None else settings.max_memory
    return math.ceil((own + _KEEPER_BYTES) / 2**20)


def drain_s(settings: AnyWorker) -> int:
    """The longest that a worker may take to end in good order: its batch, and what follows it."""
    return math.ceil(settings.deadline) + _DRAIN_S


def secrets_of(settings: AnyWorker) -> dict[str, str]:
    """The secrets that a worker needs: from the setting that it becomes to the secret's name."""
    found = {"PENSTOCK_REDIS_PASSWORD": "redis_password", "PENSTOCK_STATE_KEY": "state_key"}
    if isinstance(settings, LineageWorkerSettings):
        found["PENSTOCK_NEO4J_AUTH"] = "neo4j_auth"
    return found


def head(verb: str) -> str:
    """The first line of a rendered file."""
    return f"# Rendered from the topology file by `penstock render {verb}`; do not edit.\n"
