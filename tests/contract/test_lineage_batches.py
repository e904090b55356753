"""Messages that share a node: the same answers as where each has its own, on both stores."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage import batches
from lineage.errors import StoreError
from lineage.model import StampedRecord
from lineage.openlineage import figures
from lineage.retention import Ages, due, hold, release, retain
from lineage.store import LineageStore, open_store
from lineage.trace import fetch
from lineage.verify import verify
from tests.servers.lineage_answers import deliver_and_ask
from tests.servers.lineage_chained import KEY
from tests.servers.lineage_places import Fresh, Tamper
from tests.servers.lineage_records import LAYERS, batched_histories, commit, output

pytestmark = pytest.mark.timeout(600)  # the first use of Neo4j may wait for Maven
TOLD = {"tenant": "acme", "source": "camera"}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a single message is a batch."""
    monkeypatch.setattr(batches, "LEAST_MEMBERS", 1)


@pytest.mark.usefixtures("small_batches")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), records=batched_histories())
def test_any_history_in_batches_is_answered_as_by_hand(
    data: st.DataObject, records: list[StampedRecord]
) -> None:
    deliver_and_ask("sqlite::memory:", data, records)


@pytest.mark.usefixtures("small_batches")
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), records=batched_histories())
def test_either_store_answers_so(
    fresh: Fresh, data: st.DataObject, records: list[StampedRecord]
) -> None:
    deliver_and_ask(fresh(), data, records)


def _passed(at: int = 100, many: int = 6) -> StampedRecord:
    """What a gate that makes batches committed: so many readings, from L3_IN/10-0 on."""
    outputs = (output("L3", f"L3_IN/10-{n}", producer_id=f"p{n}", **TOLD) for n in range(many))
    return commit(at, *outputs, worker="gate", grain="batch")


def _nodes(store: LineageStore) -> tuple[int, int, int, int]:
    counts = store.counts()
    return counts["entities"], counts["batches"], counts["batched"], counts["member_of"]


def test_a_batch_is_one_node_that_answers_for_all_its_messages(store: LineageStore) -> None:
    store.write([_passed()])
    assert _nodes(store) == (0, 1, 6, 0)
    source, passed = fetch(store, "L3/100-4").steps
    assert (source.uid, source.tenant, source.source, source.producer_id) == (
        "L3_IN/10-4", "acme", "camera", "p4",
    )  # fmt: skip
    assert (passed.uid, passed.parents, passed.worker) == ("L3/100-4", ("L3_IN/10-4",), "gate")
    assert [step.uid for step in fetch(store, "L3_IN/10-2", "down").steps][-1] == "L3/100-2"
    assert store.query("trace_up", uid="L3/100-6") == []
    assert store.query("lineage_gaps", inputs=["L3_IN"]) == []
    (gap,) = store.query("lineage_gaps", inputs=[])
    assert (gap["stream"], gap["orphans"], gap["unrecorded"]) == ("L3_IN", 6, 6)


def test_what_is_flagged_has_a_node_whichever_comes_first(store: LineageStore) -> None:
    finding = commit(200, output("ANOMALY_EVENTS", "L3/100-2", flags=["L3/100-2"]))
    store.write([finding])
    store.write([_passed()])
    assert _nodes(store) == (3, 1, 6, 1)
    store.write([commit(201, output("ANOMALY_EVENTS", "L3/100-3", flags=["L3/100-3"]))])
    assert _nodes(store) == (6, 1, 6, 2)
    (cause,) = store.query("root_cause", finding="ANOMALY_EVENTS/201-0")[:1]
    assert (cause["uid"], cause["tenant"]) == ("L3_IN/10-3", "acme")
    before = store.counts()
    store.write([_passed(), finding])
    assert store.counts() == before
    assert verify(store, KEY).faults == []


def test_the_ancestors_of_a_high_layer_have_nodes_through_batches_of_batches(
    store: LineageStore,
) -> None:
    plans = (output("L4", f"L3/100-{n}", tenant="acme") for n in range(5))
    store.write([_passed(), commit(200, *plans, worker="assess", grain="batch")])
    assert _nodes(store) == (0, 2, 11, 0)
    high = (output("L8", "L4/200-3", f"L4/200-{n}", tenant="acme") for n in range(4, 0, -1))
    store.write([commit(300, *high, worker="hunt", grain="batch")])
    assert _nodes(store) == (4 + 4 * 3, 2, 11, 8)
    assert [step.hops for step in fetch(store, "L8/300-0").steps] == [3, 3, 2, 2, 1, 1, 0]
    assert [s.uid for s in fetch(store, "L3_IN/10-0", "down").steps] == [
        "L3_IN/10-0", "L3/100-0", "L4/200-0",
    ]  # fmt: skip
    assert verify(store, KEY).faults == []


def test_of_a_sample_each_message_has_a_node_at_once(store: LineageStore) -> None:
    outputs = [output("L3", f"L3_IN/10-{n}") for n in range(300)]
    record = commit(100, *outputs, grain="batch", sample=10)
    store.write([record])
    entities, _, batched, members = _nodes(store)
    assert 2 * (300 - batched) == entities
    assert 10 < 300 - batched < 60
    assert members == 0
    assert all(store.query("trace_up", uid=f"L3/100-{n}") for n in range(0, 300, 20))


def test_messages_of_other_tenants_are_in_other_batches(store: LineageStore) -> None:
    outputs = [output("L3", f"L3_IN/10-{n}", tenant=f"t{n % 2}") for n in range(10)]
    store.write([commit(100, *outputs, output("L3", "L3_IN/1-0", tenant="t3"), grain="batch")])
    assert _nodes(store) == (2, 2, 10, 0)
    assert [fetch(store, f"L3/100-{n}").steps[-1].tenant for n in (3, 4, 10)] == ["t1", "t0", "t3"]
    report = store.query("access_report")
    assert [(row["tenant"], row["messages"]) for row in report] == [
        ("t0", 5), ("t1", 5), ("t3", 1),
    ]  # fmt: skip


def test_a_batch_goes_when_its_last_message_is_old_and_none_is_held(store: LineageStore) -> None:
    store.write([_passed(), _passed(200)])
    hold(store, KEY, "L3/100-5", 300, "audit 7")
    before = fetch(store, "L3/100-5")
    ages = Ages(0.1)
    assert due(store, ages, 250) == {3: 0}
    assert due(store, ages, 900) == {3: 6}
    assert retain(store, KEY, ages, 900, batch=2) == 6
    assert _nodes(store) == (2, 1, 6, 1)
    assert fetch(store, "L3/100-5") == before
    assert verify(store, KEY).faults == []
    release(store, KEY, "L3/100-5", 1000)
    assert retain(store, KEY, ages, 1000) > 0
    assert set(store.counts().values()) == {0}
    store.write([_passed()])
    assert set(store.counts().values()) == {0}
    assert verify(store, KEY).faults == []


def test_a_hold_on_a_message_that_batches_alone_mention_keeps_it(store: LineageStore) -> None:
    store.write([commit(100, *(output("L3", f"L3_IN/10-{n}") for n in range(6)), grain="batch")])
    hold(store, KEY, "L3_IN/10-3", 200)
    assert retain(store, KEY, Ages(0.0), 10_000) == 6
    assert [step.uid for step in fetch(store, "L3_IN/10-3").steps] == ["L3_IN/10-3"]
    assert verify(store, KEY).faults == []


def test_a_limit_keeps_the_nearest_in_batches_too(store: LineageStore) -> None:
    plans = (output("L4", "L3/100-1") for _ in range(6))
    store.write([_passed(), commit(200, *plans, grain="batch")])
    rows = store.query("trace_down", uid="L3_IN/10-1", limit=3)
    assert [row["uid"] for row in rows] == ["L3_IN/10-1", "L3/100-1", "L4/200-0"]
    assert len(store.query("taint", producer="camera", limit=4)) == 4


def test_a_message_that_stays_keeps_the_uids_of_what_went_with_its_batch(
    store: LineageStore,
) -> None:
    store.write([_passed(), commit(200, output("L4", "L3/100-0", tenant="acme"))])
    plans = (output("L4", f"L3/100-{n}") for n in range(1, 6))
    store.write([commit(210, *plans, grain="batch")])
    assert retain(store, KEY, Ages(None, {3: 0.0}), 10_000) > 0
    assert [step.uid for step in fetch(store, "L4/200-0").steps] == ["L3/100-0", "L4/200-0"]
    assert [step.uid for step in fetch(store, "L4/210-2").steps] == ["L3/100-3", "L4/210-2"]
    assert verify(store, KEY).faults == []


def test_the_export_counts_alike_whether_messages_share_a_node(store: LineageStore) -> None:
    plans = [output("L4", f"L3/100-{n}", tenant="acme") for n in (1, 1, 2, 3)]
    finding = commit(300, output("ANOMALY_EVENTS", "L3/100-2", flags=["L3/100-2"]))
    records = [_passed(), commit(200, *plans, worker="assess", grain="batch"), finding]
    store.write(records)
    with open_store("sqlite::memory:", LAYERS) as other:
        other.write([_by_message(record) for record in records])
        assert figures(store) == figures(other)
        assert figures(store, since_ms=150) == figures(other, since_ms=150)


def _by_message(record: StampedRecord) -> StampedRecord:
    alone = record.record.model_copy(update={"grain": "message"})
    return StampedRecord(record.uid, alone, record.ids)


CHANGES = {
    "a batch": (
        "UPDATE batch SET tenant = 'evil'",
        "MATCH (b:Batch) SET b.tenant = 'evil'",
        ("changed", "L3/100-0..100-5"),
    ),
    "its packed messages": (
        "UPDATE batch SET members = x'00'",
        "MATCH (b:Batch) SET b.members = ''",
        ("changed", "L3/100-0..100-5"),
    ),
    "a batch too many": (
        "INSERT INTO batch SELECT 9, 'L3/7-0..7-1', key, stream, lane, layer, first, last, n, ts, "
        "until_ts, 99, schema_name, schema_version, tenant, classification, class_rank, source, "
        "members, removed FROM batch",
        "CREATE (b:Batch {id: 'L3/7-0..7-1', key: 'L3', first: '7-0', last: '7-1', n: 2})",
        ("added", "L3/7-0..7-1"),
    ),
    "where it is found": (
        "DELETE FROM span WHERE side = 'used'",
        "MATCH (s:Span {side: 'used'}) DELETE s",
        ("changed", "L3/100-0..100-5"),
    ),
    "the node of a message": (
        "UPDATE entity SET tenant = 'evil' WHERE id = 'L3/100-2'",
        "MATCH (e:Entity {id: 'L3/100-2'}) SET e.tenant = 'evil'",
        ("changed", "L3/100-2"),
    ),
    "a derivation of such a node": (
        "DELETE FROM derived WHERE child = (SELECT k FROM entity WHERE id = 'L3/100-2')",
        "MATCH (:Entity {id: 'L3/100-2'})-[d:DERIVED_FROM]->() DELETE d",
        ("changed", "L3/100-2"),
    ),
    "that it is in the batch": (
        "DELETE FROM member",
        "MATCH ()-[m:MEMBER_OF]->() DELETE m",
        ("changed", "L3/100-2"),
    ),
    "a node too many": (
        "INSERT INTO member SELECT e.k, b.k FROM entity e, batch b WHERE e.id = 'L3_IN/10-2'",
        "MATCH (e:Entity {id: 'L3_IN/10-2'}), (b:Batch) CREATE (e)-[:MEMBER_OF]->(b)",
        ("added", "L3_IN/10-2"),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_to_a_batch_or_what_hangs_on_it_is_found_and_named(
    store: LineageStore, tamper: Tamper, change: str
) -> None:
    store.write([_passed(), commit(200, output("ANOMALY_EVENTS", "L3/100-2", flags=["L3/100-2"]))])
    sql, cypher, fault = CHANGES[change]
    tamper(sql, cypher)
    assert fault in {(found.sort, found.where) for found in verify(store, KEY).faults}


def test_a_batch_that_is_gone_is_missed(store: LineageStore, tamper: Tamper) -> None:
    store.write([_passed()])
    tamper("DELETE FROM batch", "MATCH (b:Batch) DETACH DELETE b")
    (fault,) = verify(store, KEY).faults
    assert (fault.sort, fault.where) == ("removed", "LINEAGE/100-9")


def test_a_batch_that_was_changed_is_told_of_when_it_is_asked(
    store: LineageStore, tamper: Tamper
) -> None:
    store.write([_passed()])
    tamper("UPDATE batch SET members = x'00'", "MATCH (b:Batch) SET b.members = ''")
    with pytest.raises(StoreError, match="'penstock lineage verify' tells"):
        fetch(store, "L3/100-1")
