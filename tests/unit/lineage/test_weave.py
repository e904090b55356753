"""How records become a piece of the graph."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage import weave as weaving
from lineage.model import OWN, Entity, StampedRecord, better
from lineage.uid import MAX_TS_MS, place_of
from lineage.weave import graph_of, weave
from schemas.security import Classification
from tests.servers.lineage_records import LAYERS, commit, histories, output


def _entity(graph: weaving.Graph, uid: str) -> Entity:
    (found,) = [entity for entity in graph.entities if entity.id == uid]
    return found


def test_an_output_that_was_not_emitted_leaves_no_trace() -> None:
    stamped = commit(5, output("L3", "L3_IN/1-0"), output("L3", "L3_IN/2-0"), ids=["5-0", None])
    graph = weave([stamped], LAYERS)
    assert [entity.id for entity in graph.entities] == ["L3/5-0", "L3_IN/1-0"]


def test_a_commit_that_emitted_nothing_is_no_activity() -> None:
    assert weave([commit(5, output("L3", "L3_IN/1-0"), ids=[None])], LAYERS) == weaving.Graph()


def test_a_lane_tag_is_told_apart_from_the_stream() -> None:
    entity = _entity(weave([commit(5, output("L3{2}"))], LAYERS), "L3{2}/5-0")
    assert (entity.stream, entity.lane, entity.layer, entity.ts) == ("L3", 2, 3, 5)


def test_a_time_beyond_what_a_store_can_hold_is_cut() -> None:
    assert place_of("L3/18446744073709551615-0").ts == MAX_TS_MS


def test_an_activity_is_named_by_worker_run_and_the_entry_of_its_record() -> None:
    stamped = commit(5, output("L3", "L3_IN/1-0"))
    graph = graph_of(stamped.uid, stamped.record, stamped.ids, LAYERS)
    assert [activity.id for activity in graph.activities] == ["worker_1:run-1:LINEAGE/5-9"]
    assert graph.generated == (("L3/5-0", "worker_1:run-1:LINEAGE/5-9"),)
    assert graph.used == (("worker_1:run-1:LINEAGE/5-9", "L3_IN/1-0"),)


def test_no_activity_touches_more_messages_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weaving, "MESSAGES_PER_ACTIVITY", 5)
    graph = weave([commit(5, *(output("L3", f"L3_IN/{n}-0") for n in range(7)))], LAYERS)
    names = [activity.id.rpartition("LINEAGE/5-9")[2] for activity in graph.activities]
    assert names == ["", ":1", ":2", ":3"]
    for activity in graph.activities:
        touched = [edge for edge in (*graph.used, *graph.generated) if activity.id in edge]
        assert len(touched) <= 5


def test_worker_and_producers_are_agents() -> None:
    graph = weave([commit(5, output("L3", source="camera"), output("L3", source="camera"))], {})
    assert [agent.id for agent in graph.agents] == ["producer/camera", "worker/worker_1"]
    assert len(graph.associated) == 2


def test_a_finding_is_an_entity_too_and_flags_messages() -> None:
    graph = weave([commit(5, output("SHRINK", "L3_IN/1-0", flags=["L3_IN/1-0"]))], {})
    assert [finding.id for finding in graph.findings] == ["SHRINK/5-0"]
    assert graph.flagged == (("SHRINK/5-0", "L3_IN/1-0"),)
    assert graph.derived == (("SHRINK/5-0", "L3_IN/1-0"),)
    assert _entity(graph, "SHRINK/5-0").described_by == OWN


def test_a_producers_message_is_known_by_what_was_made_from_it_alone() -> None:
    told = {"tenant": "acme", "source": "camera", "classification": Classification.SECRET}
    entity = _entity(weave([commit(5, output("L3", "L3_IN/1-0", **told))], LAYERS), "L3_IN/1-0")
    assert (entity.tenant, entity.source, entity.class_rank) == ("acme", "camera", 3)
    assert (entity.described_by, entity.activity, entity.schema_name) == ("L3/5-0", None, None)


@pytest.mark.parametrize(
    "made",
    [
        output("L3", "L3_IN/1-0", "L3_IN/2-0", tenant="acme"),
        output("ANOMALY_EVENTS", "L3_IN/1-0", flags=["L3_IN/1-0"], tenant="acme"),
        output("DRIFT_EVENTS", "L3_IN/1-0", flags=["L3_IN/1-0"], tenant="acme"),
        output("L3", "L3_IN/1-0", schema_name="x"),
    ],
    ids=["of several parents", "an anomaly", "a drift", "that says nothing"],
)
def test_nothing_is_guessed_from_an_output(made: weaving.LineageOutput) -> None:
    entity = _entity(weave([commit(5, made)], LAYERS), "L3_IN/1-0")
    assert (entity.described_by, entity.tenant) == (None, None)


def test_a_messages_own_record_replaces_what_was_guessed() -> None:
    own = commit(5, output("L3", tenant="own"))
    child = commit(6, output("L4", "L3/5-0", tenant="guessed"))
    for order in ([own, child], [child, own]):
        assert _entity(weave(order, LAYERS), "L3/5-0").tenant == "own"


@given(data=st.data(), records=histories())
def test_order_and_repetition_of_records_make_no_difference(
    data: st.DataObject, records: list[StampedRecord]
) -> None:
    again = data.draw(st.permutations(records + records[:2]))
    assert weave(again, LAYERS) == weave(records, LAYERS)


@given(records=histories())
def test_every_edge_ends_at_nodes_of_the_same_piece(records: list[StampedRecord]) -> None:
    graph = weave(records, LAYERS)
    nodes = {n.id for n in (*graph.entities, *graph.activities, *graph.agents, *graph.findings)}
    edges = (graph.derived, graph.generated, graph.used, graph.associated, graph.flagged)
    assert {uid for of_kind in edges for edge in of_kind for uid in edge} <= nodes


@given(st.permutations([None, OWN, "L3/1-0", "L4/1-0"]))
def test_the_best_description_wins_in_any_order(givers: list[str | None]) -> None:
    best = Entity("L3/5-0", "L3", 0, 3, 5)
    for giver in givers:
        best = better(best, best._replace(described_by=giver))
    assert best.described_by == OWN
