"""What only the Neo4j store promises: clear errors, none of which holds the password."""

from collections.abc import Iterator

import pytest
from neo4j import GraphDatabase

from lineage.errors import QueryError, StoreError
from lineage.read_only import ReadOnlyNeo4j
from lineage.store import StoreSettings, open_store
from tests.servers.lineage_kills import kill_writer
from tests.servers.lineage_places import emptied
from tests.servers.lineage_records import commit, output

pytestmark = pytest.mark.timeout(600)  # the first use of Neo4j may wait for Maven


def test_a_wrong_password_is_refused_and_not_repeated(neo4j_uri: str) -> None:
    address = StoreSettings(neo4j_uri).address
    with pytest.raises(StoreError, match="refused user or password") as caught:
        open_store(StoreSettings(address, user="neo4j", password="wr0ng-one"))
    assert "wr0ng-one" not in f"{caught.value} {caught.value.__cause__}"


def test_a_database_that_is_not_there_is_named(neo4j_uri: str) -> None:
    with pytest.raises(StoreError, match="the server has no database 'penstock'"):
        open_store(StoreSettings(neo4j_uri, database="penstock"))


def test_another_error_of_the_server_is_told_in_its_words(neo4j_uri: str) -> None:
    with open_store(neo4j_uri) as store:
        store.write([commit(5, output("L3", "L3_IN/1-0"))])
        with pytest.raises(StoreError, match=r"Neo\.ClientError\.Statement"):
            store.query("lineage_gaps", inputs=5)


def test_an_error_of_the_driver_is_told_in_its_words(neo4j_uri: str) -> None:
    store = open_store(neo4j_uri)
    store.close()
    with pytest.raises(StoreError, match=r"[Cc]losed"):
        store.counts()


def test_constraints_and_indexes_are_made_by_the_first_write(neo4j_uri: str) -> None:
    with open_store(neo4j_uri) as store:
        store.write([commit(5, output("L3", "L3_IN/1-0"))])
        assert store.counts()["entities"] >= 2


def test_killed_writers_lose_and_double_nothing(neo4j_uri: str) -> None:
    found = kill_writer(emptied(neo4j_uri), 4)
    assert (found.kills, found.lost, found.doubled, found.faults) == (4, 0, 0, 0)
    assert found.commits >= found.told > 4


def test_what_an_older_release_wrote_is_merged_when_it_comes_again(neo4j_uri: str) -> None:
    records = [commit(5, output("L3", "L3_IN/1-0", tenant="acme")), commit(6, output("L4"))]
    with open_store(emptied(neo4j_uri)) as store:
        store.write(records)
        before = store.counts()
        where = StoreSettings(neo4j_uri)
        with GraphDatabase.driver(where.address, auth=where.credentials) as driver:
            driver.execute_query("MATCH (l:Link|Chain) DELETE l", database_="neo4j")
        store.write(records)
        assert store.counts() == before
        assert len(store.inspect("chain_links", lane="LINEAGE", after=0, limit=9)) == 2


@pytest.fixture
def reader(neo4j_uri: str) -> Iterator[ReadOnlyNeo4j]:
    with open_store(neo4j_uri) as store:
        store.write([commit(5, output("L3", "L3_IN/1-0"))])
    with ReadOnlyNeo4j(StoreSettings(neo4j_uri), {}) as opened:
        yield opened


def test_cypher_reads_nodes_edges_and_paths(reader: ReadOnlyNeo4j) -> None:
    text = "MATCH p = (e:Entity {id: $id})-[:DERIVED_FROM]->(o) RETURN p, e.ts AS ts, date() AS d"
    (row,) = reader.cypher(text, {"id": "L3/5-0"}, 10, 5.0)
    node, edge, other = row["p"]
    assert (node["_labels"], edge, other["id"]) == (
        ["Entity"],
        {"_type": "DERIVED_FROM"},
        "L3_IN/1-0",
    )
    assert (row["ts"], type(row["d"])) == (5, str)


def test_cypher_gives_no_more_rows_than_asked_for(reader: ReadOnlyNeo4j) -> None:
    assert len(reader.cypher("UNWIND range(1, 5000) AS x RETURN x", {}, 7, 5.0)) == 7


@pytest.mark.parametrize(
    "text",
    [
        "CREATE (n:Entity)",
        "MATCH (n) DETACH DELETE n",
        "MATCH (n:Entity) SET n.tenant = 'x' RETURN n",
        "CREATE INDEX unwanted FOR (n:Entity) ON (n.unwanted)",
        "CREATE USER unwanted SET PASSWORD 'unwanted1'",
        "CALL db.createLabel('Unwanted')",
        "MATCH (n:Entity) CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 10 ROWS",
    ],
)
def test_cypher_that_writes_is_refused_by_the_server(reader: ReadOnlyNeo4j, text: str) -> None:
    before = reader.counts()
    with pytest.raises(QueryError, match="it would write, and only reading is allowed here"):
        reader.cypher(text, {}, 10, 5.0)
    assert reader.counts() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("MATC (n)", "Invalid input"),
        ("RETURN $x", "Expected parameter"),
        ("CALL nothing.here()", "no procedure"),
        ("UNWIND range(1, 1000000000) AS x RETURN sum(x * x)", r"took longer than 0\.5 s"),
    ],
)
def test_cypher_that_fails_is_told_why(reader: ReadOnlyNeo4j, text: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        reader.cypher(text, {}, 10, 0.5)
