"""Where the lineage stores under test are: a SQLite file, or a Neo4j that is emptied."""

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from neo4j import GraphDatabase

from lineage.store import StoreSettings

Fresh = Callable[[], str]
Tamper = Callable[[str, str], None]
"""Changes a store behind its back: by SQL, or by Cypher."""


@pytest.fixture(params=["sqlite", "neo4j"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    """Gives the URL of an empty store, a new one at each call."""
    if request.param == "sqlite":
        numbers = itertools.count()
        yield lambda: f"sqlite:{tmp_path}/{next(numbers)}.db"
        return
    uri = request.getfixturevalue("neo4j_uri")
    yield lambda: emptied(uri)


@pytest.fixture(params=["sqlite", "neo4j"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Tamper]]:
    """An empty store's URL, and a way past it: SQL for the one, Cypher for the other."""
    if request.param == "sqlite":
        path = tmp_path / "a.db"

        def with_sql(sql: str, _: str) -> None:
            plain = sqlite3.connect(path, isolation_level=None)
            assert plain.execute(sql).rowcount != 0
            plain.close()

        yield f"sqlite:{path}", with_sql
        return
    uri = emptied(request.getfixturevalue("neo4j_uri"))
    where = StoreSettings(uri)
    with GraphDatabase.driver(where.address, auth=where.credentials) as driver:

        def with_cypher(_: str, cypher: str) -> None:
            done = driver.execute_query(cypher, database_="neo4j")
            assert done.summary.counters.contains_updates

        yield uri, with_cypher


def emptied(uri: str) -> str:
    """Delete all that a Neo4j has, part by part, since a large graph exceeds a transaction."""
    where, part = StoreSettings(uri), "CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"
    with (
        GraphDatabase.driver(where.address, auth=where.credentials) as driver,
        driver.session(database="neo4j") as session,
    ):
        session.run(f"MATCH (n) {part}").consume()
    return uri
