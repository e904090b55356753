"""The page of the lineage benchmark says what the last run found."""

from bench.lineage.grains import gated, stored
from bench.lineage.history import history
from bench.lineage.measure import check, fill, trace
from bench.lineage.report import render
from bench.lineage.result import RESULTS, Gated, Kills, Result, Written, load
from tests.servers.processes import ROOT

PAGE = ROOT / "docs" / "lineage-figures.md"


def _result() -> Result:
    return Result(date="2026-01-01", commit="c", dirty=False, machine={}, load_before=0.0)


def test_the_page_is_fresh() -> None:
    said = "run: python -m bench.lineage.report > docs/lineage-figures.md"
    assert PAGE.read_text(encoding="utf-8") == render(load(RESULTS)), said


def test_the_last_run_lost_nothing_and_was_complete() -> None:
    result = load(RESULTS)
    assert [(k.store, k.kills, k.lost, k.doubled, k.faults) for k in result.kills] == [
        ("sqlite", 40, 0, 0, 0),
        ("neo4j", 40, 0, 0, 0),
    ]
    assert {w.store for w in result.written} == {"sqlite", "neo4j"}
    assert {t.edges >= 1_000_000 for t in result.traced if t.store == "sqlite"} == {True}


def test_the_embedded_store_reached_its_bars() -> None:
    assert [line for line in load(RESULTS).shortfalls() if not line.startswith("neo4j")] == []


def test_what_falls_short_is_told() -> None:
    result = _result()
    result.written.append(Written(store="neo4j", edges=10, messages=2, took_s=1.0))
    result.kills.append(Kills(store="sqlite", kills=1, told=1, lost=1, doubled=0, faults=0))
    slow, lost = result.shortfalls()
    assert slow == "neo4j wrote 10 edges a second, not 10,000"
    assert "lost=1" in lost


def test_a_gate_that_lineage_slows_too_much_is_told() -> None:
    result = _result()
    for grain, ratio in (("off", 1.0), ("message", 0.5), ("batch", 0.89)):
        result.gated.append(Gated(grain=grain, rounds=3, messages=9, messages_per_s=9, ratio=ratio))
    assert result.shortfalls() == [
        "a gate with lineage as batches ran at 0.890 of one without, not 0.9"
    ]


def test_a_small_run_times_a_gate_in_each_mode_and_stores_what_it_recorded() -> None:
    assert [(row.grain, row.rounds) for row in gated(1, 1000)] == [
        ("off", 1), ("message", 1), ("batch", 1),
    ]  # fmt: skip
    message, batch = stored(8)
    assert (message.grain, batch.grain) == ("message", "batch")
    assert batch.bytes_per_message * 5 < message.bytes_per_message


def test_a_small_run_traces_as_far_as_it_says(tmp_path) -> None:  # type: ignore[no-untyped-def]
    url = f"sqlite:{tmp_path / 'a.db'}"
    written = fill("sqlite", url, 100_000)
    assert written.edges >= 100_000
    rows = {(t.direction, t.hops): t for t in trace("sqlite", url, written, 20, 1)}
    assert rows["up", 10].messages > rows["up", 5].messages > 5
    assert rows["down", 10].messages > 10
    assert check("sqlite", url).faults == 0


def test_the_history_is_the_same_every_time() -> None:
    assert list(history(12)) == list(history(12))
