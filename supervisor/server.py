"""The stream server as the supervisor cares for it: started, kept alive, stopped.

A configured server is another's business: it is only greeted. The embedded one is started, started
again when it ends, and stopped with the supervisor.
"""

import time
from collections.abc import Callable
from typing import Any

from schemas.supervisor_event import Action
from streams.connection import Client, connect, safe_url, wait_for
from streams.embedded import Address, EmbeddedServer
from streams.errors import StreamsError
from streams.outage import Outage
from streams.settings import ServerSettings
from supervisor.chronicle import Chronicle
from supervisor.settings import SupervisorSettings

_GREET_S = 3.0
_TIMEOUT_S = 2.0


class StreamServer:
    """The server that this supervisor's workers use; the ``chronicle`` hears of its starts anew."""

    def __init__(
        self,
        server: ServerSettings,
        settings: SupervisorSettings,
        log: Any,
        *,
        chronicle: Chronicle | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = server.redis_url.get_secret_value()
        self._settings = settings
        self._log = log
        self._chronicle = chronicle or Chronicle(log)
        self._now_s = now_s
        self._outage = Outage(log, first_s=0.2)
        self._again_at_s = 0.0
        self._embedded: EmbeddedServer | None = None
        self._address: Address | None = None
        self.version = ""

    @property
    def kind(self) -> str:
        """``embedded`` or ``configured``."""
        return "embedded" if self._embedded else "configured"

    @property
    def safe_url(self) -> str:
        """Its URL without the password."""
        return safe_url(self._url)

    @property
    def port(self) -> int | None:
        """The embedded server's port, None where another server is used."""
        return self._address.port if self._address else None

    def client(self) -> Client:
        """A client that gives up soon: whoever asks is answered, if only with a fault."""
        return connect(self._url, timeout_s=_TIMEOUT_S, name="penstock-supervisor")

    def start(self) -> None:
        """Start or find the server.

        Raises what ``EmbeddedServer.start`` and ``wait_for`` raise.
        """
        if not self._url:
            self._start_embedded(self._settings.server_port)
        with self.client() as client:
            self.version = wait_for(client, _GREET_S)

    def _start_embedded(self, port: int) -> None:
        self._embedded = EmbeddedServer(
            self._settings.data_dir, port=port, appendfsync=self._settings.appendfsync
        )
        self._address = self._embedded.start()
        self._url = self._address.url

    def look(self) -> None:
        """Start the embedded server again if it ended, on the same port, with back-off."""
        if self._embedded is None or self._address is None or self._now_s() < self._again_at_s:
            return
        if self._embedded.alive(self._address):
            return
        self._log.error("embedded_server_ended", process=self._address.pid)
        try:
            self._start_embedded(self._address.port)
        except StreamsError as error:
            self._again_at_s = self._now_s() + self._outage.failed(error)
            return
        self._outage.over()
        why = "the embedded stream server had ended, and was started again"
        details = {"pid": self._address.pid}
        self._chronicle.tell(Action.SERVER_RESTARTED, why, details=details)

    def stop(self) -> None:
        """Stop the embedded server; leave a configured one alone.

        Raises EmbeddedServerError when it does not end in time.
        """
        if self._embedded is not None:
            self._embedded.stop()
