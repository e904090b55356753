"""The provenance graph: where a message came from, what it touched, and who worked on it.

``open_store`` opens one of two stores that behave alike: a SQLite file, or Neo4j. A worker
decodes the entries of the ``LINEAGE`` stream (``decode``), stamps them with their uid
(``StampedRecord``) and writes them. ``fetch`` reads a message's history back as a ``Trace``,
``render_text`` and ``to_json`` show it. The nodes and edges: ``lineage.model``; the queries:
``questions/*.sql`` and ``questions/*.cypher``.
"""

from lineage.errors import (
    LineageError,
    QueryError,
    RecordError,
    StoreError,
    UnknownMessageError,
)
from lineage.model import StampedRecord
from lineage.render import render_text
from lineage.store import LineageStore, StoreSettings, open_store
from lineage.trace import Trace, fetch, to_json
from lineage.wire import decode

__all__ = [
    "LineageError",
    "LineageStore",
    "QueryError",
    "RecordError",
    "StampedRecord",
    "StoreError",
    "StoreSettings",
    "Trace",
    "UnknownMessageError",
    "decode",
    "fetch",
    "open_store",
    "render_text",
    "to_json",
]
