"""The page of the chaos suite says what the last run found."""

from pathlib import Path

from bench.chaos.faults import FAULTS
from bench.chaos.report import GUARANTEES, PAGE, render, with_figures
from bench.chaos.result import RESULTS, Result, Row, keep, load


def result(*rows: Row) -> Result:
    return Result(
        date="2024-05-01", seed=1, commit="c", dirty=False, machine={}, versions={}, rows=list(rows)
    )


def row(fault: str, lost: int = 0) -> Row:
    return Row(fault=fault, server="valkey", rounds=1, published=9, lost=lost, duplicated=0)


def test_the_page_is_fresh() -> None:
    said = "run: python -m bench.chaos.report"
    assert PAGE.read_text(encoding="utf-8") == render(load(RESULTS)), said


def test_the_guarantees_name_the_figures_of_the_last_run() -> None:
    page = GUARANTEES.read_text(encoding="utf-8")
    assert page == with_figures(page, load(RESULTS)), "run: python -m bench.chaos.report"
    assert with_figures(page, result(row("one", lost=3))) != page


def test_the_last_run_kept_every_promise() -> None:
    rows = load(RESULTS).rows
    assert all(row.holds for row in rows)
    assert len(rows) == sum(len(servers) for _, servers in FAULTS.values())


def test_a_run_of_some_faults_leaves_the_other_rows(tmp_path: Path) -> None:
    path = tmp_path / "chaos.json"
    keep(result(row("one", lost=1), row("two")), path)
    keep(result(row("one")), path)
    assert [(r.fault, r.lost) for r in load(path).rows] == [("one", 0), ("two", 0)]


def test_a_row_holds_only_if_nothing_at_all_went_wrong() -> None:
    good = row("one")
    assert good.holds
    changes: tuple[dict[str, object], ...] = (
        {"lost": 1},
        {"duplicated": 1},
        {"events_equal": False},
        {"faults": ["x"]},
        {"published": 0},
    )
    assert not any(good.model_copy(update=change).holds for change in changes)
