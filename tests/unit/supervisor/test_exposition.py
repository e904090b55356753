"""The metrics of many processes on one page."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.observe import GroupState, StreamState
from streams.pipeline_metrics import (
    boundary_families,
    budget_families,
    server_families,
    stream_families,
)
from supervisor.child import Place
from supervisor.exposition import merged, rendered
from supervisor.fleet import ChildView
from supervisor.metrics import process_families
from supervisor.pages import Answer, Pages, Routes
from supervisor.scrape import scrape
from tests.unit.supervisor.stand_ins import presence, topology

STREAMS = topology().model_dump(by_alias=True, exclude_unset=True)["streams"]


def page(entries: int) -> str:
    registry = CollectorRegistry()
    Counter("penstock_entries", "Entries.", ["worker"], registry=registry).labels("gate").inc(
        entries
    )
    Histogram("penstock_batch_seconds", "A batch.", registry=registry).observe(0.5)
    return generate_latest(registry).decode()


def test_two_pages_become_one_with_each_family_once_and_every_sample_apart() -> None:
    pages = [({"replica": "0"}, page(3)), ({"replica": "1"}, page(4))]
    text = rendered(merged(pages)).decode()
    for name in ("penstock_entries_total", "penstock_batch_seconds"):
        assert text.count(f"# TYPE {name} ") == 1
        assert text.count(f"# HELP {name} ") == 1
    assert 'penstock_entries_total{replica="0",worker="gate"} 3.0' in text
    assert 'penstock_entries_total{replica="1",worker="gate"} 4.0' in text
    lines = [line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"]
    assert len(lines) == len(set(lines))


def test_a_merged_page_says_the_same_as_the_page_it_was_made_of() -> None:
    def samples(text: str) -> list[tuple[str, float]]:
        return [
            (sample.name, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]

    text = page(3)
    assert samples(rendered(merged([({}, text)])).decode()) == samples(text)


def test_a_lane_is_up_while_one_process_takes_its_entries() -> None:
    children = [
        ChildView(Place("gate", 0), 1, "running", True, 0, "", (0, 1)),
        ChildView(Place("gate", 1), None, "backing_off", False, 2, "x"),
        ChildView(Place("pass", 0), 3, "running", True, 0, "", (0,)),
        ChildView(Place("late", 0), 4, "starting", False, 0, ""),
    ]
    text = rendered(process_families(children, {"gate": 2, "pass": 0}, ["late"], 2)).decode()
    for worker, up in (("gate", (1, 1)), ("pass", (1, 0)), ("late", (0, 0))):
        for lane in (0, 1):
            said = f'penstock_worker_up{{lane="{lane}",worker="{worker}"}} {up[lane]}.0'
            assert said in text
    assert 'penstock_supervisor_restarts_total{worker="gate"} 2.0' in text
    assert "penstock_supervisor_unscraped_processes 1.0" in text


def test_streams_have_length_lag_and_pending_and_an_unknown_lag_is_left_out() -> None:
    groups = (GroupState("gate", 5, 2, 1), GroupState("pass", None, 0, 1))
    text = rendered(stream_families([StreamState("IN", 7, 9, groups)])).decode()
    assert 'penstock_stream_length{stream="IN"} 7.0' in text
    assert 'penstock_group_lag_entries{stream="IN",worker="gate"} 5.0' in text
    assert 'penstock_group_pending_entries{stream="IN",worker="gate"} 2.0' in text
    assert 'penstock_group_lag_entries{stream="IN",worker="pass"}' not in text
    assert "penstock_server_up 1.0" in rendered(server_families(True)).decode()
    assert "penstock_server_up 0.0" in rendered(server_families(False)).decode()


def test_a_process_that_does_not_answer_holds_up_nobody_else() -> None:
    pages = Pages("127.0.0.1", 0)
    pages.serve(Routes({"/metrics": lambda _: Answer(200, b"x 1\n", "text/plain")}, {}, "t"))
    try:
        good, bad = scrape(
            [
                (Place("gate"), presence("gate", 1, port=pages.port)),
                (Place("gate", 1), presence("gate", 2, port=1)),
            ]
        )
    finally:
        pages.close()
    assert (good.page, bad.page) == ("x 1\n", None)
    assert bad.labels == {"replica": "1"}
    assert scrape([]) == []


def test_a_layer_is_known_by_its_source_streams_and_who_reads_them() -> None:
    plain = topology()
    layered = topology(streams={**STREAMS, "IN": {**STREAMS["IN"], "layer": 3}})
    assert "penstock_boundary_info{" not in rendered(boundary_families(plain)).decode()
    text = rendered(boundary_families(layered)).decode()
    assert 'penstock_boundary_info{layer="3",stream="IN",worker="gate"} 1.0' in text
    assert text.count("penstock_boundary_info{") == 1


def test_the_budget_is_told_as_a_rate() -> None:
    nothing = rendered(budget_families(topology())).decode()
    assert all(line.startswith("#") for line in nothing.splitlines())
    text = rendered(budget_families(topology(budget={"false_alarms": 864, "per": "1d"}))).decode()
    assert "penstock_budget_alarms_per_second 0.01\n" in text
