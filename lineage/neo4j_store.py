"""The store for production: Neo4j 5.7 or newer, over Bolt with the official driver.

A write is one managed transaction: the driver repeats it when the server calls its failure
transient (a deadlock, a change of leader), which does no harm, as nothing of it was kept.
Constraints and indexes are made before the first write, so that reading needs no such rights.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from neo4j import (
    Driver,
    GraphDatabase,
    ManagedTransaction,
    NotificationMinimumSeverity,
)
from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    ConstraintError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
)

from lineage import neo4j_write
from lineage.chain import ChainKey, extend, new_records
from lineage.errors import StoreError
from lineage.materialise import needed
from lineage.model import Graph, StampedRecord
from lineage.queries import Queries
from lineage.store import LineageStore, StoreSettings
from lineage.transaction import T, Transaction
from lineage.unfolded import answered
from lineage.weave import weave

CONNECTION_TIMEOUT_S = 5.0
"""How long a connection to the server may take."""

RETRY_S = 15.0
"""How long a write or a query is tried again before its error is raised."""


_Write = Callable[[ManagedTransaction, Queries, Graph], None]


class Neo4jStore(LineageStore):
    """A :class:`lineage.store.LineageStore` in a database of a Neo4j server.

    Connects at once. Raises :class:`StoreError` when the server can't be reached, refuses the
    user, or lacks the database.
    """

    def __init__(self, settings: StoreSettings, layers: Mapping[str, int]) -> None:
        self._settings = settings
        self._layers = layers
        self._queries = Queries.load("questions/*.cypher")
        self._writes = Queries.load("writes.cypher")
        self._upkeep = Queries.load("upkeep.cypher", "batches.cypher", "questions/parts.cypher")
        self._key = ChainKey(settings.chain_key)
        self._prepared = False
        with self._explained(), _uri_errors():
            self._driver = _driver(settings)
            try:
                self._run_alone("RETURN 1")
            except BaseException:
                self._driver.close()
                raise

    def write(self, records: Sequence[StampedRecord]) -> None:
        """Add records; see :meth:`lineage.store.LineageStore.write`."""
        self._prepare()
        with self._explained(), self._driver.session(database=self._settings.database) as session:
            try:
                session.execute_write(self._add, records, neo4j_write.create)
            except ConstraintError:  # something was there that no link tells of
                session.execute_write(self._add, records, neo4j_write.merge)

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Do upkeep; see :meth:`lineage.store.LineageStore.transact`."""
        self._prepare()
        with self._explained(), self._driver.session(database=self._settings.database) as session:
            return session.execute_write(lambda tx: work(self._transaction(tx)))

    def query(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Run a named query; see :meth:`lineage.store.LineageStore.query`."""
        return answered(self._ask, self.inspect, name, self._queries[name].bind(parameters))

    def inspect(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Look for upkeep; see :meth:`lineage.store.LineageStore.inspect`."""
        return self._read(self._upkeep, name, parameters)

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def _prepare(self) -> None:
        if self._prepared:
            return
        schema = Queries.load("schema.cypher")
        for name in schema.names:
            self._run_alone(schema[name].text)
        self._run_alone("CALL db.awaitIndexes()")
        self._prepared = True

    def _run_alone(self, text: str) -> None:
        """Run a statement once, in a transaction of its own."""
        with self._explained(), self._driver.session(database=self._settings.database) as session:
            session.run(text).consume()

    def _ask(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        return self._read(self._queries, name, parameters)

    def _read(
        self, queries: Queries, name: str, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        query = queries[name]
        bound = query.bind(parameters)
        with self._explained(), self._driver.session(database=self._settings.database) as session:
            return session.execute_read(lambda tx: tx.run(query.text, bound).data())

    def _add(self, tx: ManagedTransaction, records: Sequence[StampedRecord], write: _Write) -> None:
        transaction = self._transaction(tx)
        new = new_records(transaction, records)
        graph = weave(new, self._layers)
        write(tx, self._writes, graph)
        transaction.add(needed(transaction.rows, graph))
        extend(transaction, self._key, new, graph)

    def _transaction(self, tx: ManagedTransaction) -> "_Neo4jTransaction":
        return _Neo4jTransaction(tx, self._upkeep, self._writes)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise the driver's errors as ones that name the server, the cause and the next step."""
        try:
            yield
        except (DriverError, Neo4jError) as error:
            cause = _cause(error, self._settings)
            raise StoreError(f"lineage store {self._settings.address!r}: {cause}") from error


class _Neo4jTransaction:
    """A :class:`lineage.transaction.Transaction` on one of the driver's."""

    def __init__(self, tx: ManagedTransaction, upkeep: Queries, writes: Queries) -> None:
        self._tx = tx
        self._upkeep = upkeep
        self._writes = writes

    def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        query = self._upkeep[name]
        return self._tx.run(query.text, query.bind(parameters)).data()

    def add(self, graph: Graph) -> None:
        neo4j_write.merge(self._tx, self._writes, graph)

    def many(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows(name, rows=list(rows))


def _driver(settings: StoreSettings) -> Driver:
    return GraphDatabase.driver(
        settings.address,
        auth=settings.credentials,
        connection_timeout=CONNECTION_TIMEOUT_S,
        max_transaction_retry_time=RETRY_S,
        notifications_min_severity=NotificationMinimumSeverity.OFF,
    )


@contextmanager
def _uri_errors() -> Iterator[None]:
    """Give the driver's complaints about a URI one class; some come up only on connecting."""
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _cause(error: DriverError | Neo4jError, settings: StoreSettings) -> str:
    match error:
        case AuthError():
            return "the server refused user or password; see PENSTOCK_NEO4J_USER and _PASSWORD"
        case ServiceUnavailable():
            return "no server answers there; is Neo4j running, and is this its Bolt port?"
        case ConfigurationError():
            return f"no usable Neo4j URI ({error}); write bolt://HOST:7687 or neo4j+s://HOST"
        case Neo4jError(code="Neo.ClientError.Database.DatabaseNotFound"):
            return f"the server has no database {settings.database!r}; Community has only 'neo4j'"
        case Neo4jError():
            return f"{error.code}: {error.message}"
        case _:
            return str(error)
