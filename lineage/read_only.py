"""Any Cypher that a user writes, run so that it can only read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from neo4j import READ_ACCESS
from neo4j.exceptions import ClientError, Neo4jError

from lineage.cypher_values import plain
from lineage.errors import QueryError
from lineage.neo4j_store import Neo4jStore

_LETTERS = 300  # of what the server says; it can list every keyword there is
_TIMED_OUT = ("TransactionTimedOut", "TransactionTimedOutClientConfiguration")


class ReadOnlyNeo4j(Neo4jStore):
    """A Neo4j store that takes any Cypher."""

    def cypher(
        self, text: str, parameters: Mapping[str, Any], limit: int, timeout_s: float
    ) -> list[dict[str, Any]]:
        """Run a statement in a transaction of access mode READ; give its first ``limit`` rows.

        The server itself refuses to write in it, and ends it after ``timeout_s`` seconds. Raises
        :class:`QueryError` when the statement would write, is none, or takes too long.
        """
        mode, database = READ_ACCESS, self._settings.database
        with (
            self._explained(),
            _refused(timeout_s),
            self._driver.session(database=database, default_access_mode=mode) as session,
            session.begin_transaction(timeout=timeout_s) as transaction,
        ):
            rows = islice(transaction.run(text, dict(parameters)), limit)
            return [plain(dict(row)) for row in rows]


@contextmanager
def _refused(timeout_s: float) -> Iterator[None]:
    """Say what the server has against a statement that a user wrote."""
    try:
        yield
    except Neo4jError as error:
        cause = _cause(error, timeout_s)
        if cause is None:
            raise
        raise QueryError(f"Neo4j refused the statement: {cause}") from error


def _cause(error: Neo4jError, timeout_s: float) -> str | None:
    _, _, kind, name = (*str(error.code).split("."), "", "", "", "")[:4]
    if name == "AccessMode":
        return "it would write, and only reading is allowed here; nothing was changed"
    if name in _TIMED_OUT:
        return f"it took longer than {timeout_s:g} s; ask for less"
    if isinstance(error, ClientError) and kind in ("Procedure", "Statement", "Transaction"):
        return str(error.message).splitlines()[0][:_LETTERS]
    return None
