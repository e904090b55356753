"""The seam to the stores: what each of them guarantees, and how to open one."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import unquote

from lineage.errors import StoreError
from lineage.model import StampedRecord
from lineage.transaction import T, Transaction

SQLITE_SCHEME = "sqlite"
NEO4J_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


class LineageStore(Protocol):
    """A place that keeps the provenance graph. Every store passes one suite of tests.

    A store belongs to the thread that opened it; another thread or process opens its own, and
    sees every write that has returned. It inherits from this class, and is closed by ``with``.
    """

    def write(self, records: Sequence[StampedRecord]) -> None:
        """Add records to the graph, in one transaction.

        Either all of them are in the graph when this returns, or it raises and none is. Any
        record may come again, alone or in other company, and in any order: the graph is the
        same. Each new record becomes a link of its lane's hash chain (``lineage.chain``); one
        whose ``LINEAGE`` entry is known already is passed over. Raises :class:`StoreError` when
        the store can't be written.
        """
        ...

    def query(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Run a named query (``questions/*.sql`` and ``.cypher`` say what there is).

        Every store gives the same rows, in the same order, with the same columns. Raises
        :class:`QueryError` for an unknown name or a wrong parameter, and :class:`StoreError`
        when the store can't be read.
        """
        ...

    def inspect(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Run a statement of ``upkeep.sql`` or ``upkeep.cypher`` that only reads.

        Raises what :meth:`query` raises.
        """
        ...

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Do upkeep in one transaction: what ``work`` does with it, all of it or nothing.

        A store may call ``work`` again when the server asks for it. Raises :class:`StoreError`
        when the store can't be read or written.
        """
        ...

    def counts(self) -> dict[str, int]:
        """Count the nodes and edges of each kind: the one row of the query ``counts``."""
        return self.query("counts")[0]

    def close(self) -> None:
        """Let go of the store; closing twice is fine, using it afterwards is not."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the graph is kept.

    ``url`` is ``sqlite:PATH``, or a Neo4j URI such as ``bolt://host:7687`` or
    ``neo4j+s://host``, in which ``user:password@`` may stand before the host. ``user``,
    ``password`` and ``database`` matter to Neo4j only. ``chain_key`` is the secret of the hash
    chain, which only writing needs. Neither secret is in a ``repr``.
    """

    url: str = field(repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str = "neo4j"
    chain_key: bytes = field(default=b"", repr=False)

    @property
    def scheme(self) -> str:
        """What stands before the first colon of the URL, in lower case."""
        return self.url.partition(":")[0].lower()

    @property
    def address(self) -> str:
        """The URL without what is secret, as it may stand in a log or a message."""
        if self.scheme == SQLITE_SCHEME:
            return self.url
        return f"{self.scheme}://{self._after_scheme.rpartition('@')[2]}"

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password, those in the URL first; None when neither is given."""
        user, _, password = self._after_scheme.rpartition("@")[0].partition(":")
        name = unquote(user) or self.user
        secret = unquote(password) or self.password
        return None if name is None and secret is None else (name or "neo4j", secret or "")

    @property
    def _after_scheme(self) -> str:
        return self.url.partition(":")[2].removeprefix("//")


def open_store(
    settings: StoreSettings | str, layers: Mapping[str, int] | None = None
) -> LineageStore:
    """Open the store that the settings (or a URL alone) name, making an embedded one if need be.

    ``layers`` gives the layer of each bare stream name; only writing needs it. Neo4j's driver
    is imported only when it is used. Raises :class:`StoreError` when the URL names no store, or
    one that can't be opened.
    """
    chosen = StoreSettings(settings) if isinstance(settings, str) else settings
    if chosen.scheme == SQLITE_SCHEME:
        from lineage.sqlite_store import SqliteStore

        return SqliteStore(chosen.url.partition(":")[2], layers or {}, chosen.chain_key)
    if chosen.scheme in NEO4J_SCHEMES:
        from lineage.neo4j_store import Neo4jStore

        return Neo4jStore(chosen, layers or {})
    raise StoreError(_no_such_scheme(chosen))


def _no_such_scheme(settings: StoreSettings) -> str:
    near = difflib.get_close_matches(settings.scheme, [SQLITE_SCHEME, *NEO4J_SCHEMES], n=1)
    hint = f"did you mean {near[0]}:…?" if near else "use sqlite:PATH, or bolt:// or neo4j://HOST"
    return f"lineage store {settings.address!r}: this kind of URL names no lineage store; {hint}"
