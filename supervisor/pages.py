"""The supervisor's HTTP pages: the port, and the thread that answers. What they say: ``site``."""

import errno
import socket
import threading
from contextlib import suppress

import uvicorn

from streams.errors import PortTaken
from supervisor.errors import UsageMistake
from supervisor.page_app import App
from supervisor.page_routes import Answer, Get, Live, Post, Routes
from supervisor.settings import DEFAULT_PORT

__all__ = ["Answer", "Get", "Live", "Pages", "Post", "Routes"]

_NOT_OURS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_QUEUE = 128
_LAST_WORDS_S = 2


class Pages:
    """Holds a port from the start, and answers on it once it is told what.

    ``port`` None takes 9464 if it is free, else any free one; afterwards ``port`` is what it got.

    Raises PortTaken for a port that was named and is in use, UsageMistake for a host that is not
    ours.
    """

    def __init__(self, host: str, port: int | None) -> None:
        self.host = host
        self._socket = _bound(host, port)
        self.port = int(self._socket.getsockname()[1])
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def serve(self, routes: Routes) -> None:
        """Begin to answer; whoever connected before is answered then."""
        config = uvicorn.Config(
            App(routes, self.host, lambda: server.should_exit),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",  # a fault of a page is logged where it happens
            access_log=False,  # a page that is asked for every few seconds is no news
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_LAST_WORDS_S,
        )
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [self._socket]}, name="pages", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering and give the port back."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._socket.close()


def _bound(host: str, port: int | None) -> socket.socket:
    try:
        return _listening(host, DEFAULT_PORT if port is None else port)
    except OSError as error:
        if port is None:
            return _listening(host, 0)
        raise PortTaken(
            f"port {port} on {host} cannot be used for the pages ({error.strerror}); name another "
            "with --port, or leave it out and a free one is taken"
        ) from error


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens; connections wait in its queue until somebody answers."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, ValueError) as error:  # no name either, or none that can be looked up
        raise _not_ours(host, error) from error
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_QUEUE)
    except OSError as error:
        with suppress(OSError):
            made.close()
        if error.errno in _NOT_OURS:
            raise _not_ours(host, error) from error
        raise
    return made


def _not_ours(host: str, error: Exception) -> UsageMistake:
    why = getattr(error, "strerror", None) or error
    return UsageMistake(
        f"{host!r} is no address that this machine can listen on ({why}); name one of its own with "
        "--host or PENSTOCK_HOST: 127.0.0.1 for this machine alone, 0.0.0.0 for every network"
    )
