"""The embedded store: one SQLite file in WAL mode, with nothing to install or start.

Readers never wait for the writer and see every commit at once; writers wait for each other for
up to :data:`BUSY_TIMEOUT_S`. A process that is killed leaves whole writes only; after a power
cut the file is sound, but the last writes may be gone (``synchronous=NORMAL``), and come again
when the ``LINEAGE`` entries that they came from are delivered anew.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from lineage.chain import ChainKey, extend, new_records
from lineage.errors import StoreError
from lineage.materialise import needed
from lineage.model import Batch, Entity, Graph, StampedRecord
from lineage.queries import Queries
from lineage.store import LineageStore
from lineage.transaction import T, Transaction
from lineage.unfolded import answered
from lineage.weave import weave

BUSY_TIMEOUT_S = 30.0
"""How long a write waits for another process's before it gives up."""

CACHE_KIB = 32_768
"""How much of the file a connection keeps in memory."""

IDS_AT_ONCE = 500
"""How many ids one look-up takes; SQLite before 3.32 allows 999 parameters."""

SCHEMA_VERSION = 4
"""The ``user_version`` of the files that this release writes."""

APPLICATION_ID: Final = 0x50454E53
"""``PENS``: tells our files from other programs' (``PRAGMA application_id``)."""

_BUSY_PAUSE_S = 0.005
_JSON = "_json"
_HINTS = {
    "SQLITE_BUSY": f"another process held it for more than {BUSY_TIMEOUT_S:.0f} s; try again",
    "SQLITE_CANTOPEN": "it can't be opened; does its folder exist, and may you write there?",
    "SQLITE_CORRUPT": "it is damaged; restore it from a backup, or move it away and start anew",
    "SQLITE_FULL": "the disk is full; free some space; nothing of this write was kept",
    "SQLITE_IOERR": "the disk failed to read or write; look into the system log",
    "SQLITE_NOTADB": "it is no SQLite database; give another path, or move the file away",
    "SQLITE_PERM": "it may not be opened; look at the file's owner and mode",
    "SQLITE_READONLY": "it is read-only; look at the owner and mode of the file and its folder",
}


class SqliteStore(LineageStore):
    """A :class:`lineage.store.LineageStore` in a SQLite file at ``path``.

    Makes the file when it does not exist. Raises :class:`StoreError` when the path is no
    database, another program's or a newer release's, or can't be opened.
    """

    def __init__(self, path: str | Path, layers: Mapping[str, int], chain_key: bytes = b"") -> None:
        self._path = path
        self._layers = layers
        self._key = ChainKey(chain_key)
        self._queries = Queries.load("questions/*.sql")
        self._writes = Queries.load("writes.sql")
        self._upkeep = Queries.load("upkeep.sql", "batches.sql", "questions/parts.sql")
        with self._explained():
            self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def write(self, records: Sequence[StampedRecord]) -> None:
        """Add records; see :meth:`lineage.store.LineageStore.write`."""
        self.transact(lambda transaction: self._add(transaction, records))

    def query(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Run a named query; see :meth:`lineage.store.LineageStore.query`."""
        return answered(self._ask, self.inspect, name, self._queries[name].bind(parameters))

    def inspect(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Look for upkeep; see :meth:`lineage.store.LineageStore.inspect`."""
        with self._explained():
            return _rows(self._connection, self._upkeep, name, parameters)

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Do upkeep; see :meth:`lineage.store.LineageStore.transact`."""
        with self._explained(), self._transaction():
            return work(_SqliteTransaction(self._connection, self._upkeep, self._insert))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _prepare(self) -> None:
        with self._explained():
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._refuse_foreign()
            if self._pragma("user_version") < SCHEMA_VERSION:
                self._create()
            version = self._pragma("user_version")
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"lineage store {str(self._path)!r} has version {version}, this release of "
                f"Penstock reads version {SCHEMA_VERSION}; upgrade it, or give another path"
            )

    def _refuse_foreign(self) -> None:
        # In this order: another process of ours may be making the file, in one transaction.
        occupied = self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        if occupied and self._pragma("application_id") != APPLICATION_ID:
            raise StoreError(
                f"lineage store {str(self._path)!r} is another program's database; give another "
                "path"
            )

    def _create(self) -> None:
        self._switch_to_wal()
        with self._transaction():
            version = self._pragma("user_version")
            if version >= SCHEMA_VERSION:
                return
            for file in _files_from(version):
                for statement in _statements(file):
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _switch_to_wal(self) -> None:
        """Switch WAL on, which can't be done inside a transaction.

        SQLite waits for no lock here: it is busy at once while another process does the same.
        """
        until_s = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                    raise
            time.sleep(_BUSY_PAUSE_S)

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def _add(self, transaction: Transaction, records: Sequence[StampedRecord]) -> None:
        new = new_records(transaction, records)
        graph = weave(new, self._layers)
        transaction.add(graph)
        transaction.add(needed(transaction.rows, graph))
        extend(transaction, self._key, new, graph)

    def _insert(self, graph: Graph) -> None:
        self._many("agents", graph.agents)
        self._many("activities", graph.activities)
        agents = self._keys("agent_keys", [agent.id for agent in graph.agents])
        made_by = {entity.activity for entity in graph.entities if entity.activity}
        made_by |= {activity.id for activity in graph.activities}
        activities = self._keys("activity_keys", sorted(made_by))
        self._many("entities", [_keyed(entity, activities) for entity in graph.entities])
        entities = self._keys("entity_keys", [entity.id for entity in graph.entities])
        self._many("findings", [(entities[finding[0]], *finding[1:]) for finding in graph.findings])
        self._many("derived", _pairs(graph.derived, entities, entities))
        self._many("used", _pairs(graph.used, activities, entities))
        self._many("associated", _pairs(graph.associated, activities, agents))
        self._many("flagged", _pairs(graph.flagged, entities, entities))
        self._many("supersedes", _pairs(graph.supersedes, entities, entities))
        self._many("batches", [_keyed_batch(batch, activities) for batch in graph.batches])
        ids = {batch.id for batch in graph.batches} | {batch for _, batch in graph.members}
        batches = self._keys("batch_keys", sorted(ids))
        self._many("spans", [(batches[span.batch], *span[1:]) for span in graph.spans])
        self._many("members", _pairs(graph.members, entities, batches))

    def _ask(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        with self._explained():
            return _rows(self._connection, self._queries, name, parameters)

    def _many(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(self._writes[name].text, rows)

    def _keys(self, name: str, ids: Sequence[str]) -> dict[str, int]:
        keys: dict[str, int] = {}
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = ids[start : start + IDS_AT_ONCE]
            text = self._writes[name].text.replace("?", ", ".join("?" * len(some)))
            keys.update(self._connection.execute(text, some))
        return keys

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Run the block in one transaction that takes the write lock first, not midway."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise SQLite's errors as ones that name the file, the likely cause and the next step."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "")
            hints = [hint for name, hint in _HINTS.items() if code.startswith(name)]
            hint = hints[0] if hints else str(error)
            raise StoreError(f"lineage store {str(self._path)!r}: {hint}") from error


class _SqliteTransaction:
    """A :class:`lineage.transaction.Transaction` on a connection that is inside of one."""

    def __init__(
        self, connection: sqlite3.Connection, upkeep: Queries, insert: Callable[[Graph], None]
    ) -> None:
        self._connection = connection
        self._upkeep = upkeep
        self.add = insert

    def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        return _rows(self._connection, self._upkeep, name, parameters)

    def many(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self._connection.executemany(self._upkeep[name].text, rows)


def _rows(
    connection: sqlite3.Connection, queries: Queries, name: str, parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    query = queries[name]
    bound = {key: _bindable(value) for key, value in query.bind(parameters).items()}
    cursor = connection.execute(query.text, bound)
    columns = [column[0] for column in cursor.description or ()]
    return [_row(columns, values) for values in cursor]


def _files_from(version: int) -> list[str]:
    """The files that make a store of this version, 0 for an empty one, one of ours."""
    steps = [f"upgrade_{step}.sql" for step in range(version, SCHEMA_VERSION)]
    return steps if version else ["schema.sql"]


def _statements(file: str) -> list[str]:
    lines = files("lineage").joinpath(file).read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return [statement for statement in text.split(";") if statement.strip()]


def _keyed(entity: Entity, activities: Mapping[str, int]) -> tuple[Any, ...]:
    """Give an entity, or below a batch, as a row whose activity is its key."""
    if entity.activity is None:
        return entity
    at = Entity._fields.index("activity")
    return (*entity[:at], activities[entity.activity], *entity[at + 1 :])


def _keyed_batch(batch: Batch, activities: Mapping[str, int]) -> tuple[Any, ...]:
    return tuple(batch._replace(activity=activities[batch.activity]))  # type: ignore[arg-type]


def _pairs(
    edges: Sequence[tuple[str, str]], starts: Mapping[str, int], ends: Mapping[str, int]
) -> list[tuple[int, int]]:
    return sorted((starts[start], ends[end]) for start, end in edges)


def _bindable(value: Any) -> Any:
    return json.dumps(list(value)) if isinstance(value, (list, tuple, set, frozenset)) else value


def _row(columns: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {
        column.removesuffix(_JSON): json.loads(value) if column.endswith(_JSON) else value
        for column, value in zip(columns, values, strict=True)
    }
