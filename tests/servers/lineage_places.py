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
    yield lambda: emptied(uri)


def emptied(uri: str) -> str:
    """Delete all that a Neo4j has, part by part, since a large graph exceeds a transaction."""
    where, part = StoreSettings(uri), "CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"
    with (
        GraphDatabase.driver(where.address, auth=where.credentials) as driver,
        driver.session(database="neo4j") as session,
    ):
        session.run(f"MATCH (n) {part}").consume()
    return uri
