"""Tamper evidence, on SQLite and on Neo4j alike: what was changed, and where."""

import pytest

from lineage.chain import ChainKey
from lineage.retention import Ages, hold, retain
from lineage.store import LineageStore
from lineage.verify import Verification, verify
from tests.servers.lineage_chained import KEY, history
from tests.servers.lineage_places import Tamper
from tests.servers.lineage_records import commit, output

pytestmark = pytest.mark.timeout(600)  # the first use of Neo4j may wait for Maven


def _sorts(found: Verification) -> set[tuple[str, str]]:
    return {(fault.sort, fault.where) for fault in found.faults}


def test_what_was_written_is_sound_whatever_came_twice(store: LineageStore) -> None:
    records = history()
    store.write(records[:3])
    store.write([*records[1:], records[0]])
    found = verify(store, KEY)
    assert found.faults == []
    assert (found.links, found.rows, found.retained) == (5, 5 + 7, 0)
    assert {lane: n for lane, (n, _) in found.heads.items()} == {"LINEAGE": 4, "LINEAGE{1}": 1}


CHANGES = {
    "a tenant": (
        "UPDATE entity SET tenant = 'evil' WHERE id = 'L4/200-0'",
        "MATCH (e:Entity {id: 'L4/200-0'}) SET e.tenant = 'evil'",
        ("changed", "L4/200-0"),
    ),
    "a ROE hash": (
        "UPDATE entity SET roe_hash = NULL WHERE id = 'L3/100-1'",
        "MATCH (e:Entity {id: 'L3/100-1'}) REMOVE e.roe_hash",
        ("changed", "L3/100-1"),
    ),
    "a producer's message": (
        "UPDATE entity SET source = 'other' WHERE id = 'L3_IN/10-0'",
        "MATCH (e:Entity {id: 'L3_IN/10-0'}) SET e.source = 'other'",
        ("changed", "L3_IN/10-0"),
    ),
    "the time of a producer's message": (
        "UPDATE entity SET ts = 11 WHERE id = 'L3_IN/40-0'",
        "MATCH (e:Entity {id: 'L3_IN/40-0'}) SET e.ts = 11",
        ("changed", "L3_IN/40-0"),
    ),
    "who made it": (
        "UPDATE activity SET worker = 'other' WHERE record = 'LINEAGE/200-9'",
        "MATCH (r:Activity {record: 'LINEAGE/200-9'}) SET r.worker = 'other'",
        ("changed", "worker_0:run-1:LINEAGE/200-9"),
    ),
    "whose place it took": (
        "INSERT INTO supersedes SELECT n.k, o.k FROM entity n, entity o "
        "WHERE n.id = 'L4/200-0' AND o.id = 'L3/100-0'",
        "MATCH (n:Entity {id: 'L4/200-0'}), (o:Entity {id: 'L3/100-0'}) "
        "CREATE (n)-[:SUPERSEDES]->(o)",
        ("changed", "L4/200-0"),
    ),
    "an agent's name": (
        "UPDATE agent SET name = 'other' WHERE id = 'producer/camera'",
        "MATCH (g:Agent {id: 'producer/camera'}) SET g.name = 'other'",
        ("changed", "producer/camera"),
    ),
    "a finding": (
        "UPDATE finding SET severity = 'low' WHERE kind = 'anomaly'",
        "MATCH (f:Finding {kind: 'anomaly'}) SET f.severity = 'low'",
        ("changed", "ANOMALY_EVENTS/210-0"),
    ),
    "a derivation that is gone": (
        "DELETE FROM derived WHERE child = (SELECT k FROM entity WHERE id = 'L4/200-0')",
        "MATCH (:Entity {id: 'L4/200-0'})-[d:DERIVED_FROM]->() DELETE d",
        ("changed", "L4/200-0"),
    ),
    "a derivation too many": (
        "INSERT INTO derived SELECT c.k, p.k FROM entity c, entity p "
        "WHERE c.id = 'L4/200-0' AND p.id = 'L3/100-2'",
        "MATCH (c:Entity {id: 'L4/200-0'}), (p:Entity {id: 'L3/100-2'}) "
        "CREATE (c)-[:DERIVED_FROM]->(p)",
        ("changed", "L4/200-0"),
    ),
    "what is flagged": (
        "DELETE FROM flagged",
        "MATCH ()-[f:FLAGGED]->() DELETE f",
        ("changed", "SHRINK/110-0"),
    ),
    "what was used": (
        "DELETE FROM used WHERE activity = (SELECT k FROM activity WHERE record = 'LINEAGE/200-9')",
        "MATCH (:Activity {record: 'LINEAGE/200-9'})-[u:USED]->() DELETE u",
        ("changed", "worker_0:run-1:LINEAGE/200-9"),
    ),
    "a message that is gone": (
        "DELETE FROM entity WHERE id = 'L4/200-0'",
        "MATCH (e:Entity {id: 'L4/200-0'}) DETACH DELETE e",
        ("removed", "LINEAGE/200-9"),
    ),
    "a link that is gone": (
        "DELETE FROM link WHERE record = 'LINEAGE/110-9'",
        "MATCH (l:Link {record: 'LINEAGE/110-9'}) DELETE l",
        ("removed", "LINEAGE"),
    ),
    "links that changed places": (
        "UPDATE link SET n = -n WHERE lane = 'LINEAGE' AND n < 3; ",
        "MATCH (l:Link {lane: 'LINEAGE'}) WHERE l.n < 3 SET l.n = -l.n",
        ("removed", "LINEAGE"),
    ),
    "a link's body": (
        "UPDATE link SET body = x'' WHERE record = 'LINEAGE/210-9'",
        "MATCH (l:Link {record: 'LINEAGE/210-9'}) SET l.body = ''",
        ("broken", "LINEAGE/210-9"),
    ),
    "a forged activity": (
        "INSERT INTO activity SELECT 99, 'x', worker, worker_kind, worker_version, host, run, "
        "at_ms, 'LINEAGE/999-0', NULL FROM activity LIMIT 1",
        "CREATE (:Activity {id: 'x', record: 'LINEAGE/999-0'})",
        ("added", "x"),
    ),
    "a forged history of a producer's message": (
        "INSERT INTO derived SELECT c.k, p.k FROM entity c, entity p "
        "WHERE c.id = 'L3_IN/40-0' AND p.id = 'L3/100-2'",
        "MATCH (c:Entity {id: 'L3_IN/40-0'}), (p:Entity {id: 'L3/100-2'}) "
        "CREATE (c)-[:DERIVED_FROM]->(p)",
        ("added", "L3_IN/40-0"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_behind_the_stores_back_is_found_and_named(
    store: LineageStore, tamper: Tamper, change: str
) -> None:
    store.write(history())
    sql, cypher, fault = CHANGES[change]
    tamper(sql, cypher)
    assert fault in _sorts(verify(store, KEY))


def test_records_that_changed_places_are_found(store: LineageStore, tamper: Tamper) -> None:
    store.write(history())
    for n, m in ((1, 91), (2, 1), (91, 2)):
        tamper(
            f"UPDATE link SET n = {m} WHERE lane = 'LINEAGE' AND n = {n}",
            f"MATCH (l:Link {{lane: 'LINEAGE', n: {n}}}) SET l.n = {m}",
        )
    assert ("broken", "LINEAGE/100-9") in _sorts(verify(store, KEY))


def test_a_chain_cut_off_at_its_end_is_found_by_the_heads_that_were_kept(
    store: LineageStore, tamper: Tamper
) -> None:
    store.write(history())
    kept = verify(store, KEY).heads
    tamper(
        "DELETE FROM link WHERE record IN ('LINEAGE/210-9', 'LINEAGE{1}/300-0')",
        "MATCH (l:Link) WHERE l.record IN ['LINEAGE/210-9', 'LINEAGE{1}/300-0'] DELETE l",
    )
    found = _sorts(verify(store, KEY, kept))
    assert {("removed", "LINEAGE"), ("removed", "LINEAGE{1}")} <= found


def test_a_chain_that_grew_still_has_the_heads_that_were_kept(store: LineageStore) -> None:
    store.write(history()[:2])
    kept = verify(store, KEY).heads
    store.write(history()[2:])
    assert verify(store, KEY, kept).sound
    forged = {lane: (n, "00") for lane, (n, _) in kept.items()}
    assert ("changed", "LINEAGE") in _sorts(verify(store, KEY, forged))


def test_another_key_says_so(store: LineageStore) -> None:
    store.write(history()[:1])
    assert ("other key", "LINEAGE/100-9") in _sorts(verify(store, ChainKey(b"another")))


def test_whose_place_a_message_took_is_in_the_chain_and_outlives_the_other(
    store: LineageStore, tamper: Tamper
) -> None:
    store.write(history())
    store.write([commit(900, output("L4", "L3/100-0", supersedes=("L4/200-0",)))])
    assert verify(store, KEY).faults == []
    retain(store, KEY, Ages(None, {4: 0.5}), 1300)
    assert store.query("trace_up", uid="L4/900-0")[0]["supersedes"] == ["L4/200-0"]
    assert verify(store, KEY).faults == []
    tamper("DELETE FROM supersedes", "MATCH ()-[s:SUPERSEDES]->() DELETE s")
    assert ("changed", "L4/900-0") in _sorts(verify(store, KEY))


def test_a_removal_that_retention_does_not_explain_is_found(
    store: LineageStore, tamper: Tamper
) -> None:
    store.write(history())
    retain(store, KEY, Ages(None, {3: 0.1}), 150)
    tamper(
        "DELETE FROM entity WHERE id = 'L4/200-0'",
        "MATCH (e:Entity {id: 'L4/200-0'}) DETACH DELETE e",
    )
    assert ("removed", "LINEAGE/200-9") in _sorts(verify(store, KEY))


def test_a_hold_that_was_taken_off_behind_the_stores_back_is_found(
    store: LineageStore, tamper: Tamper
) -> None:
    store.write(history())
    hold(store, KEY, "L4/200-0", 400)
    tamper("DELETE FROM hold", "MATCH (h:Hold) DELETE h")
    assert _sorts(verify(store, KEY)) == {("removed", "L4/200-0")}
