"""Retention and holds, on SQLite and on Neo4j alike."""

import pytest

from lineage.chain import ACTS
from lineage.errors import UnknownMessageError
from lineage.retention import Ages, due, hold, release, retain
from lineage.store import LineageStore
from lineage.trace import fetch
from lineage.verify import verify
from tests.servers.lineage_chained import KEY, history

pytestmark = pytest.mark.timeout(600)  # the first use of Neo4j may wait for Maven


def test_what_is_old_goes_by_layer_and_the_rest_stays_sound(store: LineageStore) -> None:
    store.write(history())
    ages = Ages(None, {3: 0.1})
    assert due(store, ages, 210) == {3: 8}
    told: list[int] = []
    assert retain(store, KEY, ages, 210, batch=2, done=told.append) == 8
    assert sum(told) == 8
    assert max(told) <= 2
    found = verify(store, KEY)
    assert found.faults == []
    assert found.retained > 0
    assert due(store, ages, 210) == {3: 0}
    assert retain(store, KEY, ages, 210) == 0


def test_a_message_that_stays_keeps_the_uids_of_its_parents_and_no_more(
    store: LineageStore,
) -> None:
    store.write(history())
    retain(store, KEY, Ages(None, {3: 0.0}), 10_000)
    trace = fetch(store, "L4/200-0")
    assert [step.uid for step in trace.steps] == ["L3/100-0", "L3/100-1", "L4/200-0"]
    assert [step.tenant for step in trace.steps] == [None, None, "acme"]
    with pytest.raises(UnknownMessageError):
        fetch(store, "L3_IN/10-0")


def test_when_all_has_gone_nothing_is_left_but_the_chain(store: LineageStore) -> None:
    store.write(history())
    retain(store, KEY, Ages(None, {3: 0.0}), 10_000)
    retain(store, KEY, Ages(0.0), 10_000, batch=3)
    assert set(store.counts().values()) == {0}
    assert verify(store, KEY).sound


def test_redelivery_does_not_bring_back_what_has_gone(store: LineageStore) -> None:
    store.write(history())
    retain(store, KEY, Ages(0.0), 10_000)
    store.write(history())
    assert set(store.counts().values()) == {0}


def test_a_hold_keeps_a_message_and_its_history(store: LineageStore) -> None:
    store.write(history())
    before = fetch(store, "L4/200-0")
    hold(store, KEY, "L4/200-0", 400, "audit 7")
    hold(store, KEY, "L4/200-0", 401, "again")
    hold(store, KEY, "L3/100-2", 402)
    retain(store, KEY, Ages(0.0), 10_000)
    assert fetch(store, "L4/200-0") == before
    assert fetch(store, "L3/100-2").steps[-1].findings[0].summary == "anomaly of 1"
    assert verify(store, KEY).sound
    assert release(store, KEY, "L4/200-0", 10_000)
    assert not release(store, KEY, "L4/200-0", 10_000)
    assert release(store, KEY, "L3/100-2", 10_000)
    retain(store, KEY, Ages(0.0), 10_000)
    assert set(store.counts().values()) == {0}
    found = verify(store, KEY)
    assert found.sound
    assert found.heads[ACTS][0] == 6


def test_a_hold_on_what_no_record_mentions_is_refused(store: LineageStore) -> None:
    with pytest.raises(UnknownMessageError, match="nothing is held"):
        hold(store, KEY, "L9/1-0", 400)
