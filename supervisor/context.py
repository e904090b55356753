"""What every verb of ``penstock`` has at hand: the topology, the settings, a way to the server.

A verb takes ``context: typer.Context`` and reads ``Context.of(context)``. Nothing is loaded or
connected before it is asked for, so ``--help`` stays fast.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schemas.topology import Topology
    from streams.connection import Client
    from streams.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class Context:
    """The global options of one call of ``penstock``."""

    config: Path

    @classmethod
    def of(cls, context: Any) -> "Context":
        """The context that a typer context carries."""
        found = context.find_object(cls)
        if found is None:
            raise TypeError("this verb was called without the global options of 'penstock'")
        return found  # type: ignore[no-any-return]

    def topology(self) -> "Topology":
        """The topology, checked as a whole; the author's own modules stand beside its file.

        Raises TopologyError with every problem found.
        """
        from schemas.topology_file import load_topology

        self.find_authors_modules()
        return load_topology(self.config)

    def outline(self) -> "Topology":
        """The topology for whoever only reads streams: nothing that it names is imported.

        An author's module that cannot be imported keeps nobody from looking at what runs.

        Raises TopologyError with every problem of the file and of its graph.
        """
        from schemas.topology_file import read_topology

        return read_topology(self.config).outline()

    def find_authors_modules(self) -> None:
        """Let the modules beside the topology file be imported, as the workers do."""
        directory = str(self.config.resolve().parent)
        if directory not in sys.path:
            sys.path.append(directory)  # last: a folder named 'schemas' there hides nothing of ours

    def settings(self) -> "ServerSettings":
        """The server's settings, from the environment."""
        from streams.settings import ServerSettings

        return ServerSettings()

    def server_url(self) -> str:
        """The stream server's URL, password included: never log it.

        Raises NoServer where there is none, ServerAway where ours runs and is silent.
        """
        from streams.errors import NoServer, ServerAway
        from streams.locate import locate
        from supervisor.lock import SupervisorLock

        settings = self.settings()
        try:
            return locate(settings)
        except NoServer as error:
            if not SupervisorLock(settings.data_dir).held():
                raise
            raise ServerAway(
                f"the embedded server on {settings.data_dir} does not answer, and its supervisor "
                f"runs; see 'penstock status' and {settings.data_dir / 'valkey' / 'valkey.log'}"
            ) from error

    def client(self) -> "Client":
        """A client of the stream server, which has answered.

        Raises NoServer, ServerAway or ServerRefused.
        """
        from streams.connection import connect, greet

        settings = self.settings()
        client = connect(self.server_url(), timeout_s=settings.command_timeout_s)
        greet(client)
        return client
