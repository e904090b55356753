"""One suite for every lineage store: what LineageStore promises, on SQLite and on Neo4j."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.errors import QueryError, UnknownMessageError
from lineage.model import DEPTH, StampedRecord
from lineage.render import render_text
from lineage.store import LineageStore, open_store
from lineage.trace import fetch
from schemas.lineage_record import LineageFinding
from tests.servers.lineage_answers import deliver_and_ask
from tests.servers.lineage_oracle import Oracle
from tests.servers.lineage_places import Fresh
from tests.servers.lineage_records import LAYERS, commit, histories, output
from tests.servers.lineage_story import DECISION, REFUSED, REJECTION, story

pytestmark = pytest.mark.timeout(600)  # the first use of Neo4j may wait for Maven


@pytest.fixture
def store(fresh: Fresh) -> Iterator[LineageStore]:
    with open_store(fresh(), LAYERS) as opened:
        yield opened


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), records=histories())
def test_any_history_in_any_order_and_with_repetitions_is_answered_as_by_hand(
    fresh: Fresh, data: st.DataObject, records: list[StampedRecord]
) -> None:
    deliver_and_ask(fresh(), data, records)


@settings(max_examples=250, deadline=None)
@given(data=st.data(), records=histories())
def test_the_embedded_store_answers_many_more_histories_as_by_hand(
    data: st.DataObject, records: list[StampedRecord]
) -> None:
    deliver_and_ask("sqlite::memory:", data, records)


def test_an_empty_store_answers_with_nothing(store: LineageStore) -> None:
    assert set(store.counts().values()) == {0}
    assert store.query("trace_up", uid="L3/1-0") == []
    store.write([])
    store.write([commit(1)])
    assert set(store.counts().values()) == {0}


def test_writing_again_changes_nothing(store: LineageStore) -> None:
    records = [commit(10, output("L3", "L3_IN/1-0", tenant="acme")), commit(11, output("L4"))]
    store.write(records)
    before = store.counts(), store.query("trace_up", uid="L3/10-0")
    store.write(records)
    store.write(records[:1])
    assert (store.counts(), store.query("trace_up", uid="L3/10-0")) == before


def test_a_write_that_fails_midway_leaves_nothing(store: LineageStore) -> None:
    store.write([commit(9, output("L3", "L3_IN/1-0"))])
    before = store.counts()
    good = output("SHRINK", "L3_IN/2-0", flags=["L3_IN/2-0"])
    assert good.finding is not None
    unwritable = good.finding.model_dump() | {"summary": "\ud800"}  # no store can encode this
    bad = good.model_copy(update={"finding": LineageFinding.model_construct(**unwritable)})
    with pytest.raises(UnicodeEncodeError):
        store.write([commit(10, output("L4", "L3/9-0")), commit(11, bad)])
    assert store.counts() == before
    store.write([commit(10, output("L4", "L3/9-0"))])
    assert store.counts()["entities"] == before["entities"] + 1


def test_an_unknown_query_is_refused_with_the_one_that_was_meant(store: LineageStore) -> None:
    with pytest.raises(QueryError, match=r"named 'trace_upp'; did you mean 'trace_up'\?"):
        store.query("trace_upp", uid="L3/1-0")
    with pytest.raises(QueryError, match=r"no parameter 'ui'; did you mean 'uid'\?"):
        store.query("trace_up", ui="L3/1-0")


def test_a_trace_goes_so_deep_and_no_deeper(store: LineageStore) -> None:
    links = [commit(at, output("L3", f"L3/{at - 1}-0")) for at in range(1, DEPTH + 5)]
    store.write(links)
    rows = store.query("trace_up", uid=f"L3/{DEPTH + 4}-0")
    assert [row["hops"] for row in rows] == list(range(DEPTH + 1))
    assert len(store.query("edges_down", uid="L3/0-0")) == DEPTH


def test_a_lattice_of_astronomically_many_paths_is_walked_once(store: LineageStore) -> None:
    width = 4
    rungs = [
        commit(at, *(output("L3", *(f"L3/{at - 1}-{n}" for n in range(width))),) * width)
        for at in range(1, DEPTH + 1)
    ]
    store.write(rungs)
    uid = f"L3/{DEPTH}-0"
    assert len(store.query("trace_up", uid=uid)) == 1 + width * DEPTH
    assert len(store.query("edges_up", uid=uid)) == width + width * width * (DEPTH - 1)
    store.write([commit(DEPTH + 1, output("SHRINK", uid, flags=[uid]))])
    finding = f"SHRINK/{DEPTH + 1}-0"
    assert store.query("shared_root_cause", findings=[finding])[0]["messages"] == width * DEPTH / 2
    assert len(store.query("incident_causes", findings=[finding])) == 3
    assert len(store.query("taint", worker="worker_1")) == width * DEPTH + 1
    assert store.query("who_consumed", uid="L3/0-0")[0]["hops"] == 0


def test_a_limit_keeps_the_nearest(store: LineageStore) -> None:
    store.write([commit(at, output("L3", f"L3/{at - 1}-0")) for at in range(1, 9)])
    rows = store.query("trace_up", uid="L3/8-0", limit=3)
    assert [row["uid"] for row in rows] == ["L3/8-0", "L3/7-0", "L3/6-0"]
    trace = fetch(store, "L3/8-0", limit=3)
    assert [step.uid for step in trace.steps] == ["L3/6-0", "L3/7-0", "L3/8-0"]
    assert trace.truncated


def test_a_forged_circle_is_answered(store: LineageStore) -> None:
    store.write([commit(1, output("L3", "L3/2-0")), commit(2, output("L3", "L3/1-0"))])
    assert [step.uid for step in fetch(store, "L3/1-0").steps] == ["L3/1-0", "L3/2-0"]


def test_a_released_message_has_its_history_through_the_quarantine(store: LineageStore) -> None:
    told = {"tenant": "acme", "source": "camera", "producer_id": "42"}
    store.write([commit(12, output("L3", "L3_IN/11-0", **told))])
    store.write([commit(11, output("L3_IN", "SHRINK/10-0", **told))])
    store.write([commit(10, output("SHRINK", "L3_IN/1-0", flags=["L3_IN/1-0"], **told))])
    trace = fetch(store, "L3/12-0")
    assert [s.uid for s in trace.steps] == ["L3_IN/1-0", "SHRINK/10-0", "L3_IN/11-0", "L3/12-0"]
    assert (trace.steps[0].tenant, trace.steps[0].source) == ("acme", "camera")
    assert trace.steps[0].findings[0].summary == "rejection of 1"
    assert "[rejection high SHRINK/10-0: rejection of 1]" in render_text(trace)
    assert "L3/12-0" in render_text(fetch(store, "L3_IN/1-0", "down"))


def test_what_took_a_messages_place_stands_in_its_trace_and_the_other_way_round(
    store: LineageStore,
) -> None:
    store.write([commit(5, output("L4", "L3/1-0"), worker="assess")])
    store.write([commit(9, output("L4", "L3/1-0", supersedes=("L4/5-0",)), worker="assess")])
    old, new = (fetch(store, uid).steps[-1] for uid in ("L4/5-0", "L4/9-0"))
    assert (old.supersedes, old.superseded_by) == ((), ("L4/9-0",))
    assert (new.supersedes, new.superseded_by) == (("L4/5-0",), ())
    assert "superseded by L4/9-0" in render_text(fetch(store, "L4/5-0"))
    assert "supersedes L4/5-0" in render_text(fetch(store, "L3/1-0", "down"))


def test_a_rejected_message_that_was_released_and_processed_has_one_audit_trail(
    store: LineageStore,
) -> None:
    store.write(story())
    made_by = {row["uid"]: row["worker"] for row in store.query("audit_trail", uid=DECISION)}
    refused, released = REFUSED
    assert (made_by[refused], made_by[REJECTION], made_by[released]) == ("hunt", "gate", "release")
    steps = {step.uid: step for step in fetch(store, DECISION).steps}
    assert [found.kind for found in steps[refused].findings] == ["rejection"]
    assert steps[REJECTION].parents == (refused,)
    assert steps[released].parents == (REJECTION,)
    after = [uid for uid, step in steps.items() if released in step.parents]
    assert [made_by[uid] for uid in after] == ["gate"]
    down = [step.uid for step in fetch(store, refused, "down").steps]
    assert down == [refused, REJECTION, released, *after, *down[4:]]
    assert down[-1] == DECISION


def test_a_message_that_no_record_mentions_has_no_trace(store: LineageStore) -> None:
    with pytest.raises(UnknownMessageError, match="no lineage record mentions 'L3/1-0'"):
        fetch(store, "L3/1-0")


def test_another_connection_sees_a_write_that_has_returned(fresh: Fresh) -> None:
    url = fresh()
    with open_store(url, LAYERS) as writer, open_store(url) as reader:
        for at in range(1, 6):
            writer.write([commit(at, output("L3", "L3_IN/1-0"))])
            assert reader.counts()["activities"] == at


def test_two_writers_at_once_make_one_graph(fresh: Fresh) -> None:
    url = fresh()
    records = [
        commit(at, *(output("L3", f"L3_IN/{n}-0", source="camera") for n in range(5)))
        for at in range(10, 30)
    ]
    errors: list[BaseException] = []

    def deliver(mine: list[StampedRecord]) -> None:
        try:
            with open_store(url, LAYERS) as store:
                for start in range(0, len(mine), 5):
                    store.write(mine[start : start + 5])
        except BaseException as error:  # noqa: BLE001 - a thread's errors are the test's
            errors.append(error)

    threads = [threading.Thread(target=deliver, args=(way,)) for way in (records, records[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with open_store(url) as store:
        assert store.counts() == Oracle(records, LAYERS).counts()


def test_closing_twice_is_fine(fresh: Fresh) -> None:
    store = open_store(fresh())
    store.close()
    store.close()


def test_a_message_that_one_worker_reads_twice_counts_once(store: LineageStore) -> None:
    store.write([commit(at, output("L4", "L3/1-0"), worker="assess") for at in (5, 7)])
    (row,) = store.query("who_consumed", uid="L3/1-0")
    assert (row["worker"], row["messages"]) == ("assess", 1)
    assert (row["first_ms"], row["last_ms"]) == (5, 7)
