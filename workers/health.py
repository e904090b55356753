"""The pages of a worker process: ``/metrics``, ``/livez``, ``/readyz``."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

Check = Callable[[], str]
"""Returns an empty text when all is well, else what is not."""


class HealthServer:
    """Serves the pages on ``host`` and ``port`` (0: any free one, see ``port`` afterwards).

    Raises OSError when the port is taken.
    """

    def __init__(
        self, registry: CollectorRegistry, live: Check, ready: Check, host: str, port: int
    ) -> None:
        class Pages(_Pages):
            checks: ClassVar = {"/livez": live, "/readyz": ready}
            source = registry

        self._server = ThreadingHTTPServer((host, port), Pages)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Pages(BaseHTTPRequestHandler):
    checks: ClassVar[dict[str, Check]]
    source: ClassVar[CollectorRegistry]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, generate_latest(self.source), CONTENT_TYPE_LATEST)
        elif path in self.checks:
            fault = self.checks[path]()
            self._answer(503 if fault else 200, (fault or "ok").encode() + b"\n", "text/plain")
        else:
            self._answer(404, b"there are /metrics, /livez and /readyz\n", "text/plain")

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
        """Say nothing: a page that is asked for every few seconds is no news."""
