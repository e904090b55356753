"""The connection to the stream server, and what its errors mean to us."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from streams.errors import (
    GroupMissing,
    LeaseLost,
    ScriptMissing,
    ServerAway,
    ServerFull,
    ServerRefused,
    StreamsError,
)

Client = Redis
"""A client of redis-py; every reply is bytes, and stream replies come as the server sent them."""

OLDEST_VERSION = (7, 0)
_PASSING = (
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "MISCONF",
    "BUSY",
)
_RAW_REPLIES = ("XREAD", "XREADGROUP", "XRANGE", "XREVRANGE", "XCLAIM", "XPENDING", "XINFO GROUPS")


def connect(url: str, *, timeout_s: float = 10.0, name: str = "penstock") -> Client:
    """Make a client for ``url``; nothing is sent yet.

    Commands are never repeated behind our back: a repeated ``XREADGROUP`` would strand the
    entries of the first reply. ``timeout_s`` bounds connecting and every non-blocking command.

    Raises ServerRefused for a URL that is none.
    """
    try:
        client = Redis.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            client_name=name,
        )
    except ValueError as error:
        raise ServerRefused(f"the server's URL cannot be used: {error}") from error
    for command in _RAW_REPLIES:
        client.set_response_callback(command, _as_sent)
    return client


def _as_sent(reply: Any, **_: Any) -> Any:
    return reply


def safe_url(url: str) -> str:
    """The URL without its password, for logs and messages.

    >>> safe_url("redis://:secret@127.0.0.1:6379/0")
    'redis://127.0.0.1:6379/0'
    """
    parts = urlsplit(url)
    host = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    return f"{parts.scheme}://{host}{parts.path}"


@contextmanager
def translated() -> Iterator[None]:
    """Turn redis-py's errors into ours, each of which has one remedy."""
    try:
        yield
    except exceptions.AuthenticationError as error:
        raise ServerRefused(f"the stream server refuses our credentials: {error}") from error
    except exceptions.NoPermissionError as error:
        raise ServerRefused(f"the stream server denies us a command or key: {error}") from error
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
        raise ServerAway(f"the stream server does not answer: {error}") from error
    except exceptions.ResponseError as error:
        raise _from_reply(error) from error


def send(client: Client, *command: Any) -> Any:
    """Send one command and return its reply, with the errors of ``translated``."""
    with translated():
        return client.execute_command(*command)  # type: ignore[no-untyped-call]


def _from_reply(error: exceptions.ResponseError) -> StreamsError:
    text = str(error)
    # redis-py takes the code off the texts of the errors it knows, and keeps it beside them
    code = getattr(error, "status_code", None) or text.partition(" ")[0]
    said = text if text.startswith(code) else f"{code} {text}"
    if code == "OOM":
        return ServerFull(f"the stream server has no memory left: {said}")
    if code in _PASSING:
        return ServerAway(f"the stream server cannot serve for now: {said}")
    if code == "NOSCRIPT":
        return ScriptMissing(said)
    if code == "FENCED":
        return LeaseLost(said)
    if "NOGROUP" in said or "no such key" in said:
        return GroupMissing(said)
    return StreamsError(said)


def greet(client: Client) -> str:
    """Check that the server is there and new enough; return its name and version.

    Raises ServerAway when it does not answer and ServerRefused when it is older than Redis 7.0.
    """
    with translated():
        info: dict[str, Any] = client.info("server")
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
