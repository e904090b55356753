"""A command that was sent and whose reply is fetched later: the server works while we do."""

from typing import Any

from redis import Redis, exceptions

from streams.cluster import ClusterClient
from streams.connection import Client, leaving_replicas, send


class InFlight:
    """One command on a connection of its own.

    What raises while it is sent, or while its reply is awaited, leaves it unknown whether the
    server has done it, as with ``send``. A node of a cluster that redirects has done nothing; the
    command then goes to the right one when the reply is asked for.

    Raises what ``streams.connection.translated`` makes of the server's errors.
    """

    def __init__(self, client: Client, *command: Any) -> None:
        self._client = client
        self._command = command
        self._connection: Any = None
        try:
            with leaving_replicas(client):
                self._node = _node_for(client, command)
                self._connection = self._node.connection_pool.get_connection()
                self._connection.send_command(*command)
        except BaseException:
            self.drop()
            raise

    def reply(self) -> Any:
        """Wait for the reply; only once."""
        try:
            with leaving_replicas(self._client):
                found = self._node.parse_response(self._connection, self._command[0])  # type: ignore[no-untyped-call]
        except BaseException as error:
            if not _answers_for_us(error.__cause__):
                self.drop()
                raise
            self._give_back()
            if isinstance(error.__cause__, exceptions.AskError):
                return send(self._client, *self._command)
            raise
        self._give_back()
        return found

    def drop(self) -> None:
        """Give the reply up, and the connection with it.

        A reply that is still to come must not be taken for that of another command.
        """
        if self._connection is not None:
            self._connection.disconnect()
            self._give_back()
        if isinstance(self._client, ClusterClient):
            self._client.relearn()

    def _give_back(self) -> None:
        connection, self._connection = self._connection, None
        self._node.connection_pool.release(connection)


def _answers_for_us(error: BaseException | None) -> bool:
    """Whether a server answered that goes on serving us: a replica does not."""
    return isinstance(error, exceptions.ResponseError) and not isinstance(
        error, exceptions.ReadOnlyError
    )


def _node_for(client: Client, command: tuple[Any, ...]) -> Redis:
    return client.serving(command) if isinstance(client, ClusterClient) else client
