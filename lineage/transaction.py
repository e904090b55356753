"""One transaction of a store, for what is written the same way to all of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from lineage.model import Graph

T = TypeVar("T")


class Transaction(Protocol):
    """Runs the statements of ``upkeep.sql`` or ``upkeep.cypher``, all of them or none."""

    def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Run a statement, and give its rows.

        Raises :class:`lineage.errors.QueryError` for an unknown name or a wrong parameter.
        """
        ...

    def add(self, graph: Graph) -> None:
        """Add a piece of the graph, of which anything may be there; it becomes no link."""
        ...

    def many(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each row."""
        ...
