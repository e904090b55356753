"""Tables on narrow screens: whole columns go, the least important first, and no cell is cut."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from streams.entry import Entry
from supervisor.commands.alerts import show_events
from supervisor.display import show
from supervisor.events import parsed
from supervisor.grid import Column, Grid, filled
from supervisor.overview import GroupView, Overview, ProcessView, ServerView, StreamView, WorkerView
from supervisor.tables import console

COLUMNS = [Column("worker"), Column("kind", 2), Column("lag", right=True), Column("pid", 1)]
ROWS = [["gate", "gate", "12", "4711"], ["assess", "transform", "1,234", "8"]]
EXPLANATION = "the mean of measurements.flow_l_s of pump-7 went up from 1.02 to 2.34, surely"


def test_the_least_important_columns_go_first_and_whole() -> None:
    told = {
        room: [line.plain for line in Grid(COLUMNS, ROWS, room).lines()] for room in (30, 28, 13, 1)
    }
    assert told[30] == [
        "worker  kind         lag  pid",
        "gate    gate          12  4711",
        "assess  transform  1,234  8",
    ]
    assert told[28] == ["worker    lag  pid", "gate       12  4711", "assess  1,234  8"]
    assert told[13] == told[1] == ["worker    lag", "gate       12", "assess  1,234"]
    assert Grid(COLUMNS, ROWS, 28).beneath(ROWS[1]) == {"kind": "transform"}
    assert Grid(COLUMNS, ROWS, 13).left_out == ["kind", "pid"]


@given(
    st.lists(st.lists(st.text("ab流é", max_size=9), min_size=4, max_size=4), max_size=4),
    st.integers(1, 60),
)
def test_every_cell_stands_in_its_line_or_beneath_it(rows: list[list[str]], room: int) -> None:
    grid = Grid(COLUMNS, rows, room)
    for row, line in zip(rows, grid.lines(header=False), strict=True):
        assert all(cell in line.plain or cell in grid.beneath(row).values() for cell in row)
        assert grid.left_out == ["kind", "pid"] or line.cell_len <= room


def test_what_has_no_room_is_shown_beneath_its_row_and_nothing_is_cut() -> None:
    on = screen(24)
    rows = [["gate", "gate", "12", "4711"], ["assess", "a kind of some words", "1,234", ""]]
    Grid(COLUMNS, rows, 24).show(on)
    assert shown(on) == [
        "worker    lag  pid",
        "gate       12  4711",
        "    kind gate",
        "assess  1,234",
        "    kind a kind of some",
        "    words",
    ]


def test_columns_that_are_empty_throughout_are_left_out() -> None:
    columns, rows = filled(COLUMNS, [["gate", "", "12", ""], ["assess", "", "3", "8"]])
    assert [column.name for column in columns] == ["worker", "lag", "pid"]
    assert rows == [["gate", "12", ""], ["assess", "3", "8"]]


def screen(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, color_system=None, highlight=False)


def shown(on: Console) -> list[str]:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue().splitlines()


def drifts() -> list[Entry]:
    sample = {"size": 3, "mean": 1.0, "quantiles": [1.0]}
    event = {
        "kind": "drift", "stream": "L3", "key": "pump-7", "field": "measurements.flow_l_s",
        "detector": "adwin", "statistic": "cut", "value": 2.0, "threshold": 1.0, "effect": 1.0,
        "message": "L3/1732100000000-0", "at_ms": 1732100000000, "baseline": sample,
        "current": sample, "severity": "critical", "explanation": EXPLANATION,
    }  # fmt: skip
    return [Entry("DRIFTS", f"{n}-0", [b"data", json.dumps(event).encode()]) for n in range(3)]


@pytest.mark.parametrize(("width", "beneath"), [(80, 2), (120, 1), (1000, 0)])
def test_an_alert_is_a_line_of_columns_and_its_explanation_beneath(
    width: int, beneath: int
) -> None:
    events = [event for event in map(parsed, drifts()) if event is not None]
    on = screen(width)
    show_events(on, events)
    told = shown(on)
    assert len(told) == 1 + 3 * (1 + beneath)
    assert max(map(len, told)) <= width
    assert all(part in told[1] for part in ("critical", "L3/pump-7", "measurements.flow_l_s"))
    whole = " ".join(" ".join(told[1 : 2 + beneath]).split())
    assert EXPLANATION in whole
    assert "L3/1732100000000-0" in whole


def overview() -> Overview:
    reason = "authored cannot be imported (RuntimeError: " + "word " * 40 + ")"
    worker = WorkerView(
        worker="assess", kind="transform", wanted=1, ready=1, state="misconfigured", restarts=3,
        rss_bytes=112 * 2**20, lag=12_345, pending=2_000, accepted=1_278_123, rejected=123, dead=2,
        processes=(
            ProcessView(process="assess", pid=314_159, state="x", ready=True, reason=reason),
        ),
    )  # fmt: skip
    groups = tuple(
        GroupView(worker=name, lag=12_345, pending=2_000, consumers=1)
        for name in ("assess", "anomaly", "drift", "tally")
    )
    stream = StreamView(name="SUPERVISOR_EVENTS", length=278_123, added=1_278_123, groups=groups)
    server = ServerView(kind="embedded", url="redis://127.0.0.1:34567/0", version="Valkey 8")
    return Overview(ready=True, server=server, workers=(worker,), streams=(stream,))


def test_status_fits_80_columns_and_cuts_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    on = screen(80)
    monkeypatch.setattr("supervisor.display.console", lambda **_: on)
    show(overview(), Path(".penstock"))
    told = shown(on)
    [command] = [line for line in told if "redis-cli" in line]  # whole: somebody will copy it
    assert command.startswith("to copy    REDISCLI_AUTH=")
    assert max(len(line) for line in told if line != command) <= 80
    whole = "\n".join(told)
    assert "…" not in whole
    assert "..." not in whole
    for part in ("assess", "misconfigured", "12,345", "SUPERVISOR_EVENTS", "278,123", "1,278,123"):
        assert part in whole
    assert "No room for kind, pid" in whole


def test_a_pipe_gets_each_row_whole_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    on = console(io.StringIO(), whole=True)
    monkeypatch.setattr("supervisor.display.console", lambda **_: on)
    show(overview(), Path(".penstock"))
    told = shown(on)
    assert any(line.count("2,000 pending") == 4 for line in told)
    assert any("314159" in line and "1,278,123" in line for line in told)
    assert any(line.count("word") == 40 for line in told)
