"""Where a rendered pipeline runs, and what every way of running it has in common."""

import math
import re
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import SplitResult, urlsplit

from schemas.topology import Topology
from schemas.topology_workers import AnyWorker, LineageWorkerSettings
from supervisor.errors import SupervisorError, UsageMistake

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
_REDIS = "a stream server; write redis://host:6379/0"
_NEO4J = "the graph; write bolt://host:7687"
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]*:[0-9a-f:.]*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class CannotRender(SupervisorError):
    """The topology asks for what the place cannot have."""


class BadPlace(CannotRender, UsageMistake):
    """An option says what is no place of a server, no namespace, or no image."""


@dataclass(frozen=True, slots=True)
class Where:
    """The surroundings of the workers. ``redis`` and ``neo4j`` are URLs without passwords.

    Raises BadPlace.
    """

    image: str
    redis: str
    neo4j: str

    def __post_init__(self) -> None:
        if not self.image or self.image != "".join(self.image.split()):
            raise BadPlace(f"{self.image!r} is no name of an image; write penstock:1.0")
        redis, neo4j = _parts(self.redis, _REDIS), _parts(self.neo4j, _NEO4J)
        if redis.scheme not in _SCHEMES or not redis.netloc:
            raise BadPlace(
                f"{redis.scheme}://{redis.netloc.rpartition('@')[2]} is no URL of {_REDIS}"
            )
        if "@" in redis.netloc or "@" in neo4j.netloc:
            raise BadPlace(
                "a URL has a user or a password in it; leave them out: the password comes from "
                "the secret 'redis_password', user and password of Neo4j from 'neo4j_auth'"
            )
        for place in redis.netloc.split(","):
            _check_place(place, _REDIS)
        _check_place(neo4j.netloc, _NEO4J)

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


def _parts(url: str, of: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:  # whose words may quote a password
        raise BadPlace(f"what you gave is no URL of {of}") from error


def _check_place(place: str, of: str) -> None:
    """Whether this is a host, and a port if it has one. Raises BadPlace."""
    try:
        parts = urlsplit(f"//{place}")
        sound = parts.port != 0 and _HOST.fullmatch(parts.hostname or "")
    except ValueError as error:  # a port that is no number, or above 65535
        raise BadPlace(f"{place!r} is no host and port of {of}") from error
    if not sound or place.endswith(":"):
        raise BadPlace(f"{place!r} is no host and port of {of}")


def dns_label(text: str) -> str:
    """The text, if a namespace may be called so.

    Raises BadPlace.
    """
    if not _LABEL.fullmatch(text):
        raise BadPlace(
            f"{text!r} is no name of a namespace; it has 1 to 63 small letters, digits and '-', "
            "and neither begins nor ends with '-'"
        )
    return text


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
