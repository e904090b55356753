"""The supervisor's HTTP pages: binding, dispatch, who may do what. What they say is in ``site``."""

import json
import secrets
import socketserver
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import structlog

from streams.errors import PortTaken
from supervisor.settings import DEFAULT_PORT

_MOST_BODY_BYTES = 64 * 1024
_JSON = "application/json"
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page says."""

    status: int
    body: bytes
    content_type: str = _JSON

    @classmethod
    def of(cls, found: Any, status: int = 200) -> "Answer":
        """An answer of JSON."""
        return cls(status, json.dumps(found).encode() + b"\n")

    @classmethod
    def fault(cls, status: int, sentence: str) -> "Answer":
        """An error: JSON with one sentence."""
        return cls.of({"error": sentence}, status)


Get = Callable[[Mapping[str, str]], Answer]
"""Answers a GET; takes the parameters behind the question mark."""

Post = Callable[[Mapping[str, Any]], Answer]
"""Does what a POST asks for; takes its JSON object."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Every page by its path. ``posts`` want ``Authorization: Bearer <token>``."""

    gets: Mapping[str, Get]
    posts: Mapping[str, Post]
    token: str


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    routes: Routes

    def server_bind(self) -> None:
        # Not HTTPServer's: that one asks the name service who we are, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


class Pages:
    """Holds a port from the start, and answers on it once it is told what.

    ``port`` None takes 9464 if it is free, else any free one; afterwards ``port`` is what it got.

    Raises PortTaken for a port that was named and is in use, OSError for a host that is not ours.
    """

    def __init__(self, host: str, port: int | None) -> None:
        self.host = host
        self._server = _bound(host, port)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )

    def serve(self, routes: Routes) -> None:
        """Begin to answer."""
        self._server.routes = routes
        self._thread.start()

    def close(self) -> None:
        """Stop answering and give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def _bound(host: str, port: int | None) -> _Server:
    try:
        return _Server((host, DEFAULT_PORT if port is None else port), _Handler)
    except OSError as error:
        if port is None:
            return _Server((host, 0), _Handler)
        raise PortTaken(
            f"port {port} on {host} cannot be used for the pages ({error.strerror}); name another "
            "with --port, or leave it out and a free one is taken"
        ) from error


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE_S

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        page = self.server.routes.gets.get(parts.path)
        if page is None:
            known = ", ".join(self.server.routes.gets)
            self._send(Answer.fault(404, f"there is no page {parts.path}; there are {known}"))
            return
        query = dict(parse_qsl(parts.query))
        self._send(self._guarded(lambda: page(query)))

    def do_POST(self) -> None:
        body = self._body()
        action = self.server.routes.posts.get(urlsplit(self.path).path)
        if not self._allowed():
            answer = Answer.fault(401, "an action needs the token that stands in supervisor.json")
        elif action is None:
            known = ", ".join(self.server.routes.posts)
            answer = Answer.fault(404, f"there is no action {self.path}; there are {known}")
        elif body is None:
            answer = Answer.fault(400, "an action takes one small JSON object")
        else:
            answer = self._guarded(lambda: action(body))
        self._send(answer)

    def _allowed(self) -> bool:
        given = self.headers.get("Authorization", "").encode()
        return secrets.compare_digest(given, f"Bearer {self.server.routes.token}".encode())

    def _body(self) -> dict[str, Any] | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MOST_BODY_BYTES:
            self.close_connection = True
            return None
        try:
            found = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _guarded(self, answer: Callable[[], Answer]) -> Answer:
        try:
            return answer()
        except Exception as error:  # noqa: BLE001 - the edge: a page that fails is told and logged
            structlog.get_logger().error("page_failed", page=self.path, error=repr(error))
            return Answer.fault(500, f"the page failed: {type(error).__name__}; see the log")

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
        """Say nothing: a page that is asked for every few seconds is no news."""
