"""Where the lineage stores under test are: a SQLite file, or a Neo4j that is emptied."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from neo4j import GraphDatabase

from lineage.store import StoreSettings

Fresh = Callable[[], str]


@pytest.fixture(params=["sqlite", "neo4j"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    """Gives the URL of an empty store, a new one at each call."""
    if request.param == "sqlite":
        numbers = itertools.count()
        yield lambda: f"sqlite:{tmp_path}/{next(numbers)}.db"
        return
    uri = request.getfixturevalue("neo4j_uri")
    where = StoreSettings(uri)
    with GraphDatabase.driver(where.address, auth=where.credentials) as driver:

        def empty() -> str:
            with driver.session(database="neo4j") as session:  # a large graph goes part by part
                part = "CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"
                session.run(f"MATCH (n) {part}").consume()
            return uri

        yield empty
