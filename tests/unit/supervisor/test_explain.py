"""Accounts of events: which part each field had, when a change began, and what is said of it."""

import json
from typing import Any

import pytest
from rich.console import Console

from schemas.findings import AnomalyEvent, DriftEvent
from supervisor.events import Event
from supervisor.explain.account import Account, to_json
from supervisor.explain.evidence import Evidence, Reading
from supervisor.explain.parts import parts_of
from supervisor.explain.payload import key_at, number_at
from supervisor.explain.pictures import pictures_of
from supervisor.explain.show import show
from supervisor.plot import Boxes, Trace

ANOMALY: dict[str, Any] = {
    "stream": "OK",
    "key": "s1",
    "detector": "half_space_trees",
    "message": "OK/60000-0",
    "at_ms": 60_000,
    "score": 0.9,
    "threshold": 0.8,
    "p_value": 0.001,
    "severity": "high",
    "fields": [{"field": "x", "value": 9.0, "deviation": 8.5}],
    "explanation": "x is 9",
}
SAMPLE = {"size": 100, "mean": 0.0, "quantiles": [-1.6, -0.7, 0.0, 0.7, 1.6]}
DRIFT: dict[str, Any] = {
    "stream": "OK",
    "field": "x",
    "detector": "conformal",
    "statistic": "sr",
    "value": 2e6,
    "threshold": 1e6,
    "effect": 2.0,
    "message": "OK/60000-0",
    "at_ms": 60_000,
    "baseline": SAMPLE,
    "current": SAMPLE | {"mean": 2.0, "quantiles": [0.4, 1.3, 2.0, 2.7, 3.6]},
    "severity": "critical",
    "explanation": "x went up",
}
GONE = Evidence((), None)


def anomaly(**more: Any) -> Event:
    said = json.dumps(ANOMALY | more)
    return Event("EVENTS/1-0", AnomalyEvent.model_validate_json(said))


def drift(**more: Any) -> Event:
    return Event("EVENTS/1-0", DriftEvent.model_validate_json(json.dumps(DRIFT | more)))


def evidence(values: list[float | None], at: int) -> Evidence:
    readings = [
        Reading(f"OK/{1000 * number}-0", 1000 * number, {} if value is None else {"x": value})
        for number, value in enumerate(values)
    ]
    return Evidence(tuple(readings), at)


def shown(account: Account, columns: int = 100) -> str:
    screen = Console(width=columns, record=True, file=None, force_terminal=False)
    with screen.capture() as captured:
        show(account, screen)
    return captured.get()


def whole(event: Event, found: Evidence) -> Account:
    finding = event.finding
    parts = parts_of(finding, found) if isinstance(finding, AnomalyEvent) else ()
    return Account(event, found, parts)


PAST: list[float | None] = [float(number % 5) for number in range(60)]


def test_the_retained_past_tells_the_usual_range_where_the_event_does_not() -> None:
    [part] = parts_of(anomaly().finding, evidence([*PAST, 9.0], 60))  # type: ignore[arg-type]
    assert (part.low, part.high, part.expected, part.nearest) == (0.0, 4.0, 2.0, 4.0)
    assert part.by == "the middle 98 % of the 60 values before"
    assert part.deviation == 8.5


def test_too_short_a_past_tells_nothing() -> None:
    [part] = parts_of(anomaly().finding, evidence([1.0, 2.0, 9.0], 2))  # type: ignore[arg-type]
    assert (part.low, part.expected, part.by) == (None, None, None)


def test_what_the_event_says_of_guilt_goes_first() -> None:
    if "guilty" not in AnomalyEvent.model_fields:
        pytest.skip("events tell no guilt")
    guilty = {"field": "y", "value": 3.0, "share": 0.8, "expected": 1.0, "low": 0.5, "high": 1.5}
    event = anomaly(guilty=[guilty | {"nearest": 1.5}])
    [part] = parts_of(event.finding, GONE)  # type: ignore[arg-type]
    assert (part.field, part.share, part.nearest) == ("y", 0.8, 1.5)
    told = shown(whole(event, GONE))
    assert "80 %" in told
    assert "0.5 to 1.5" in told
    assert isinstance(pictures_of(whole(event, GONE))[0], Boxes)


def test_an_anomaly_is_drawn_in_the_values_around_it() -> None:
    account = whole(anomaly(), evidence([*PAST, 9.0, 1.0], 60))
    [picture] = pictures_of(account)
    assert isinstance(picture, Trace)
    assert picture.mark == 60
    assert picture.values[picture.mark] == 9.0
    assert picture.band is not None
    told = shown(account)
    for words in ("Anomaly in OK/s1, high", "0.9, threshold 0.8", "0.001", "0 to 4", "◆"):
        assert words in told
    assert "penstock lineage trace OK/60000-0" in told


def test_a_message_that_is_gone_is_told_of() -> None:
    told = " ".join(shown(whole(anomaly(), GONE)).split())
    assert "no longer retained" in told
    assert "does not tell what was usual" in told


def test_a_drift_that_is_gone_is_drawn_from_its_own_quantiles() -> None:
    account = whole(drift(), GONE)
    [picture] = pictures_of(account)
    assert isinstance(picture, Boxes)
    assert picture.boxes[0].inner == (-0.7, 0.7)
    told = " ".join(shown(account).split())
    assert "the event's own numbers" in told
    assert "+2 baseline standard deviations" in told


def test_a_drift_shows_where_it_began_counting_values_only() -> None:
    values: list[float | None] = [0.0] * 50 + [2.0, None, 2.0, 2.0]
    account = whole(drift(began_ago=3), evidence(values, 53))
    assert account.began_at == 50
    assert "most likely 3 values ago: OK/50000-0" in shown(account)
    _, course = pictures_of(account)
    assert isinstance(course, Trace)
    assert (course.began, course.mark) == (50, 53)


def test_a_drift_that_names_where_it_began_is_believed() -> None:
    if "since" not in DriftEvent.model_fields:
        pytest.skip("events name no beginning")
    account = whole(drift(since="OK/7000-0", began_ago=2), evidence([0.0] * 20, 19))
    assert account.began_at == 7


def test_absent_optional_fields_are_left_out() -> None:
    told = shown(whole(drift(), GONE))
    for word in ("p-value", "e-value", "began"):
        assert word not in told
    assert "e-value" in shown(whole(drift(e_value=12.0), GONE))


def test_an_end_of_an_incident_has_no_fields_and_is_still_told_of() -> None:
    if "incident" not in AnomalyEvent.model_fields:
        pytest.skip("events know no incidents")
    event = anomaly(
        fields=[], incident="ab12", field="x", status="clear", count=12, worst="critical"
    )
    told = shown(whole(event, evidence([*PAST, 9.0], 60)))
    assert "ab12, clear; 12 messages since it began; critical at worst" in told
    assert "◆" in told


def test_what_is_missing_is_1_for_the_watch_on_presence() -> None:
    account = whole(drift(detector="presence"), evidence([1.0, None, 5.0], 2))
    assert account.column("x") == (0.0, 1.0, 0.0)


def test_json_has_the_event_the_readings_and_the_way_on() -> None:
    said = json.loads(to_json(whole(anomaly(), evidence([*PAST, 9.0], 60))))
    assert said["event"]["message"] == "OK/60000-0"
    assert said["readings"][said["at"]]["numbers"] == {"x": 9.0}
    assert said["fields"][0]["high"] == 4.0
    assert "penstock lineage trace OK/60000-0" in said["commands"]


@pytest.mark.parametrize("columns", [44, 80, 200])
def test_no_line_is_wider_than_the_screen(columns: int) -> None:
    told = shown(whole(anomaly(), evidence([*PAST, 9.0], 60)), columns)
    assert max(map(len, told.splitlines())) <= columns


@pytest.mark.parametrize(
    ("payload", "path", "found"),
    [
        ({"a": {"b": 1}}, "a.b", 1.0),
        ({"a.b": 2}, "a.b", 2.0),
        ({"a": {"b.c": 3}, "a.b": {}}, "a.b.c", 3.0),
        ({"a": "1"}, "a", None),
        ({"a": False}, "a", None),
        ({"a": 10**400}, "a", 1e300),
        ([], "a", None),
    ],
)
def test_a_number_is_found_by_its_path(payload: Any, path: str, found: float | None) -> None:
    assert number_at(payload, path) == found


def test_a_key_is_read_as_the_workers_read_it() -> None:
    assert key_at({"s": {"id": 5}}, "s.id") == "5"
    assert key_at({"s": 1.5}, "s") is None
    assert key_at({"s": ""}, "s") is None
    assert key_at({"s": "x"}, None) is None
