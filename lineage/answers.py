"""A named query's rows with what a reader must know of them: whether a bound cut them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lineage.model import DEPTH
from lineage.store import LineageStore

DEFAULT_LIMIT = 1000
"""How many rows an answer holds unless asked for more."""

_DISTANCES = ("hops", "deepest")


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query, in its order; ``cut`` has a sentence for each bound that was met."""

    query: str
    rows: tuple[Mapping[str, Any], ...]
    cut: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Write the answer as one JSON object; ``truncated`` says whether anything was cut."""
        told = {**asdict(self), "truncated": bool(self.cut)}
        return json.dumps(told, ensure_ascii=False, default=str)


def ask(store: LineageStore, query: str, limit: int = DEFAULT_LIMIT, **parameters: Any) -> Answer:
    """Run a named query that takes a limit, and say where its answer was cut.

    Raises what :meth:`lineage.store.LineageStore.query` raises.
    """
    return answer(query, store.query(query, limit=limit + 1, **parameters), limit)


def answer(query: str, rows: Sequence[Mapping[str, Any]], limit: int) -> Answer:
    """Make an answer of at most ``limit`` rows of one more than that.

    >>> answer("gaps", [{"stream": "L3"}, {"stream": "L4"}], limit=1).cut
    ('there are more than these 1; ask for more with --limit',)
    """
    cut = [f"there are more than these {limit}; ask for more with --limit"]
    kept = tuple(rows[:limit])
    return Answer(query, kept, tuple(cut[: len(rows) > limit]) + depth_met(kept))


def depth_met(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """A sentence where a row lies as far away as histories are followed, else nothing."""
    if any(row.get(column) == DEPTH for row in rows for column in _DISTANCES):
        return (f"histories are followed for {DEPTH} derivations; what lies beyond is not shown",)
    return ()
