"""The stream server as the supervisor cares for it: started, kept alive, stopped.

A configured server is another's business: it is only greeted. The embedded one is started, started
again when it ends, and stopped with the supervisor.
"""

import time
from collections.abc import Callable
from typing import Any

from schemas.supervisor_event import Action
from streams.connection import Client, connect, safe_url, wait_for
from streams.embedded import EmbeddedServer
from streams.embedded_address import Address
from streams.errors import StreamsError
from streams.outage import Outage
from streams.settings import ServerSettings
from supervisor.chronicle import Chronicle
from supervisor.settings import SupervisorSettings
from supervisor.steps import Steps

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
        self._coming = False
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

    def start(self) -> Steps:
        """Start or find the server; each step has waited for it no longer than an answer takes.

        Raises what ``EmbeddedServer`` and ``wait_for`` raise.
        """
        if not self._url:
            embedded, address = self._begin(self._settings.server_port)
            while not embedded.serves(address):
                yield
        with self.client() as client:
            self.version = wait_for(client, _GREET_S)

    def _begin(self, port: int) -> tuple[EmbeddedServer, Address]:
        embedded = EmbeddedServer(
            self._settings.data_dir, port=port, appendfsync=self._settings.appendfsync
        )
        address = embedded.begin()
        self._embedded, self._address, self._url = embedded, address, address.url
        return embedded, address

    def look(self) -> None:
        """Mind the embedded server a step further; whatever fails is tried again, with back-off.

        One that ended is started again, on the same port, and may load its data for long.
        """
        if self._embedded is None or self._address is None or self._now_s() < self._again_at_s:
            return
        try:
            self._mind(self._embedded, self._address)
        except (StreamsError, OSError) as error:  # the machine may have no room for a process
            self._coming = False
            self._again_at_s = self._now_s() + self._outage.failed(error)

    def _mind(self, embedded: EmbeddedServer, address: Address) -> None:
        if not self._coming:
            if embedded.alive(address):
                return
            self._log.error("embedded_server_ended", process=address.pid)
            embedded, address = self._begin(address.port)
            self._coming = True
        if not embedded.serves(address):
            return
        self._coming = False
        self._outage.over()
        why = "the embedded stream server had ended, and was started again"
        self._chronicle.tell(Action.SERVER_RESTARTED, why, details={"pid": address.pid})

    def stop(self) -> None:
        """Stop the embedded server; leave a configured one alone.

        Raises EmbeddedServerError when it does not end in time.
        """
        if self._embedded is not None:
            self._embedded.stop()
