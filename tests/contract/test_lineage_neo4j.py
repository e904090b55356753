"""What only the Neo4j store promises: clear errors, none of which holds the password."""

import pytest

from lineage.errors import StoreError
from lineage.store import StoreSettings, open_store
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
