"""Finding the server by way of Sentinel, so that a failover is followed without a hand.

``redis+sentinel://user:password@host:26379,host2:26379/service/0``; ``rediss+sentinel://`` speaks
TLS to the sentinels and to the servers. User and password are the servers'; sentinels that want
their own get them as ``?sentinel_username=…&sentinel_password=…``. Every other setting of the query
is one that redis-py takes, such as ``ssl_ca_certs``.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from redis import Redis
from redis.connection import parse_url
from redis.sentinel import Sentinel

_PORT = 26379
_SCHEMES = ("redis+sentinel", "rediss+sentinel")


def is_sentinel(url: str) -> bool:
    """Whether a URL names sentinels rather than a server."""
    return url.partition("://")[0] in _SCHEMES


def connect_by_sentinel(url: str, settings: Mapping[str, Any]) -> Redis:
    """A client of whichever server is the service's master when a connection is made.

    Each new connection asks the sentinels in turn, so after a failover the next one leads to the
    new master. ``settings`` are redis-py's, for sentinels and servers alike.

    Raises ValueError for a URL without a host or a service.
    """
    parts = urlsplit(url)
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("a URL of sentinels ends in the name of the service")
    given = _settings_of(parts, database)
    watched = {key: given.pop(f"sentinel_{key}", None) for key in ("username", "password")}
    shared = {key: value for key, value in given.items() if key.startswith("ssl")}
    if parts.scheme.startswith("rediss"):
        shared["ssl"] = given["ssl"] = True
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        _hosts(parts), sentinel_kwargs={**settings, **watched, **shared}, **{**settings, **given}
    )
    return sentinel.master_for(service)  # type: ignore[no-untyped-call, no-any-return]


def _settings_of(parts: SplitResult, database: str) -> dict[str, Any]:
    """User, password, database and the query's settings, read as redis-py reads them."""
    login = parts.netloc.rpartition("@")[0]
    server = f"redis://{login}@server/{database}?{parts.query}"
    found: dict[str, Any] = dict(parse_url(server))  # type: ignore[no-untyped-call]
    del found["host"]
    return found


def _hosts(parts: SplitResult) -> list[tuple[str, int]]:
    found = []
    for place in parts.netloc.rpartition("@")[2].split(","):
        one = urlsplit(f"//{place}")
        if not one.hostname:
            raise ValueError("a URL of sentinels names their hosts, separated by commas")
        found.append((one.hostname, one.port or _PORT))
    return found
