"""The connection to the stream server, and what its errors mean to us."""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from streams.cluster import SCHEMES, ClusterClient, seeds_of
from streams.errors import (
    GroupMissing,
    LeaseLost,
    ScriptMissing,
    ServerAway,
    ServerFull,
    ServerRefused,
    StreamsError,
)
from streams.sentinel import connect_by_sentinel, is_sentinel

Client = Redis
"""A client of redis-py; every reply is bytes, and stream replies come as the server sent them."""

OLDEST_VERSION = (7, 0)
_MOST_CONNECTIONS = 4096  # a process has two a lane
_PASSING = (
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "UNBLOCKED",  # a blocking read on a master that has become a replica
    "NOREPLICAS",  # fewer replicas than min-replicas-to-write
    "MISCONF",
    "BUSY",
    "UNKILLABLE",
)
_DENIED_IN_SCRIPT = ("ACL failure in script", "The user executing the script can't")
_URL = re.compile(
    r"(?P<scheme>[a-z+]+://)([^@/?#]*@)?"
    r"(?P<place>(([\w.-]+|\[[\da-fA-F:]+\])(:\d+)?,?)*(/[\w./-]*)?)(\?[^@]*)?"
)
_RAW_REPLIES = ("XREAD", "XREADGROUP", "XRANGE", "XREVRANGE", "XCLAIM", "XPENDING", "XINFO GROUPS")


def connect(url: str, *, timeout_s: float = 10.0, name: str = "penstock") -> Client:
    """Make a client for ``url``; nothing is sent yet.

    Commands are never repeated behind our back: a repeated ``XREADGROUP`` would strand the
    entries of the first reply. ``timeout_s`` bounds connecting and every non-blocking command.

    Raises ServerRefused for a URL that is none, without a word of what stands in it, and for a
    certificate or key that cannot be read.
    """
    _read_certificates(url)
    options: dict[str, Any] = {
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "client_name": name,
        "driver_info": None,  # two round trips a connection, and Redis 7.0 does not know them
        "max_connections": _MOST_CONNECTIONS,
    }
    try:
        client = _client_for(url, options)
    except (ValueError, TypeError):  # their texts may quote the password, so they end here
        raise ServerRefused(
            "the server's URL cannot be used; it is written redis://user:password@host:6379/0, "
            "rediss:// for TLS, or with +sentinel or +cluster behind the scheme; signs other than "
            "letters and digits in user and password are percent-encoded"
        ) from None
    for command in _RAW_REPLIES:
        client.set_response_callback(command, _as_sent)
    return client


def _client_for(url: str, options: dict[str, Any]) -> Client:
    if url.partition("://")[0] in SCHEMES:
        return ClusterClient(seeds_of(url), **options)
    if is_sentinel(url):
        return connect_by_sentinel(url, options)
    client = Redis.from_url(url, **options)
    pool = client.connection_pool
    pool.connection_class(**pool.connection_kwargs)  # a setting that is none is found out here
    return client


def _read_certificates(url: str) -> None:
    settings = parse_qs(url.partition("?")[2])
    for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
        for path in settings.get(name, []):
            try:
                with open(path, "rb"):
                    pass
            except OSError as error:
                said = f"{name} of the server's URL: {path} cannot be read: {error.strerror}"
                raise ServerRefused(said) from error


def longest_wait_s(client: Client) -> float:
    """How long one command may block on the server before its reply counts as overdue."""
    timeout_s: float | None = client.get_connection_kwargs().get("socket_timeout")
    return timeout_s / 2 if timeout_s else float("inf")


def _as_sent(reply: Any, **_: Any) -> Any:
    return reply


def safe_url(url: str) -> str:
    """The URL without its password, for logs and messages.

    >>> safe_url("redis://:secret@127.0.0.1:6379/0")
    'redis://127.0.0.1:6379/0'
    >>> safe_url("redis+cluster://:secret@a:7000,b:7001")
    'redis+cluster://a:7000,b:7001'
    """
    found = _URL.fullmatch(url)
    return f"{found['scheme']}{found['place']}" if found else "a URL that cannot be read"


@contextmanager
def translated() -> Iterator[None]:
    """Turn redis-py's errors into ours, each of which has one remedy."""
    try:
        yield
    except exceptions.AuthenticationError as error:
        raise ServerRefused(f"the stream server refuses our credentials: {error}") from error
    except exceptions.NoPermissionError as error:
        raise ServerRefused(f"the stream server denies us a command or key: {error}") from error
    except exceptions.BusyLoadingError as error:
        raise ServerAway(f"the stream server cannot serve for now: {error}") from error
    except (
        exceptions.ConnectionError,
        exceptions.TimeoutError,
        exceptions.InvalidResponse,
        OSError,
    ) as error:
        if _is_about_tls(error):
            raise ServerRefused(f"no TLS connection can be made: {error}") from error
        raise ServerAway(f"the stream server does not answer: {error}") from error
    except exceptions.ResponseError as error:
        raise _from_reply(error) from error


def send(client: Client, *command: Any) -> Any:
    """Send one command and return its reply, with the errors of ``translated``."""
    with leaving_replicas(client):
        return client.execute_command(*command)  # type: ignore[no-untyped-call]


@contextmanager
def leaving_replicas(client: Client) -> Iterator[None]:
    """As ``translated``; a server that turned out to be a replica is not asked again."""
    try:
        with translated():
            yield
    except ServerAway as error:
        if isinstance(error.__cause__, exceptions.ReadOnlyError):
            # A master that became a replica keeps its connections; a new one may lead elsewhere.
            client.connection_pool.disconnect(inuse_connections=False)
        raise


def _is_about_tls(error: BaseException | None) -> bool:
    """Whether TLS itself is at fault, a certificate above all, which no waiting mends."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        error = error.__cause__ or error.__context__
    return False


def _from_reply(error: exceptions.ResponseError) -> StreamsError:
    text = str(error)
    # redis-py takes the code off the texts of the errors it knows, and keeps it beside them
    code = getattr(error, "status_code", None) or text.partition(" ")[0]
    said = text if text.startswith(code) else f"{code} {text}"
    if any(words in said for words in _DENIED_IN_SCRIPT):
        return ServerRefused(f"the stream server denies us a command or key: {said}")
    if code == "OOM":
        return ServerFull(f"the stream server has no memory left: {said}")
    if "NOGROUP" in said or "no such key" in said or "key no longer exists" in said:
        return GroupMissing(said)
    if code in _PASSING:
        return ServerAway(f"the stream server cannot serve for now: {said}")
    if code in ("MOVED", "ASK", "CROSSSLOT"):
        return ServerRefused(
            f"the stream server is a node of a cluster ({said}); its URL has to begin with "
            "redis+cluster://, and 'lanes' has to be 2 or more"
        )
    if code == "NOSCRIPT":
        return ScriptMissing(said)
    if code == "FENCED":
        return LeaseLost(said)
    return StreamsError(said)


def greet(client: Client) -> str:
    """Check that the server is there and new enough; return its name and version.

    Raises ServerAway when it does not answer or still loads its data, ServerRefused when it is
    older than Redis 7.0.
    """
    with translated():
        info: dict[str, Any] = client.info("server", "persistence")
    if info.get("loading"):
        raise ServerAway("the stream server cannot serve for now: it is loading its data")
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_VERSION:
        raise ServerRefused(f"{name} {version} is too old; Redis 7.0 or Valkey 8.0 is the oldest")
    return f"{name} {version}"


def wait_for(
    client: Client, within_s: float, *, sleep: Callable[[float], None] = time.sleep
) -> str:
    """Wait until the server answers, at most ``within_s`` seconds; return its name and version.

    Raises ServerAway when the time is up, ServerRefused at once.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            return greet(client)
        except ServerAway:
            if time.monotonic() >= deadline:
                raise
            sleep(0.02)
