"""Events as the alerts show them."""

import io
import json
from typing import Any

import pytest

from schemas.findings import (
    AnomalyEvent,
    DriftEvent,
    DriftKind,
    FieldValue,
    Sample,
    Severity,
    Status,
)
from streams.entry import Entry
from supervisor.commands.alerts import show_events
from supervisor.events import Event, Wanted, parsed, wanted_events
from supervisor.tables import console

EVERYTHING = Wanted(frozenset({"anomaly", "drift"}))


def anomaly(**changes: Any) -> AnomalyEvent:
    fields = tuple(FieldValue(field=f"f{i}", value=1.0, deviation=9.0) for i in range(5))
    told: dict[str, Any] = {
        "stream": "L3",
        "key": "pump",
        "detector": "half-space-trees",
        "message": "L3/17-0",
        "at_ms": 17,
        "score": 0.9,
        "threshold": 0.8,
        "p_value": 0.001,
        "severity": Severity.HIGH,
        "fields": fields,
        "explanation": "f1 is 1",
    }
    return AnomalyEvent(**(told | changes))


def drift(**changes: Any) -> DriftEvent:
    sample = Sample(size=3, mean=1.0, quantiles=(1.0, 1.0, 1.0, 1.0, 1.0))
    told: dict[str, Any] = {
        "stream": "L3",
        "field": "flow",
        "detector": "adwin",
        "statistic": "cut",
        "value": 2.0,
        "threshold": 1.0,
        "effect": 1.0,
        "message": "L3/18-0",
        "at_ms": 18,
        "baseline": sample,
        "current": sample,
        "severity": Severity.LOW,
        "explanation": "the mean went up",
    }
    return DriftEvent(**(told | changes))


def entry(finding: AnomalyEvent | DriftEvent, entry_id: str = "20-0") -> Entry:
    return Entry("EVENTS", entry_id, [b"data", finding.model_dump_json().encode()])


def test_both_kinds_are_read_back_from_one_stream() -> None:
    events = wanted_events([entry(anomaly()), entry(drift(), "21-0")], EVERYTHING)
    assert [event.kind for event in events] == ["anomaly", "drift"]
    assert [event.where for event in events] == ["L3/pump", "L3"]
    assert [event.fields for event in events] == [("f0", "f1", "f2"), ("flow",)]


@pytest.mark.parametrize("data", [b"", b"{", b'{"kind": "rejection"}', b'{"kind": "drift"}'])
def test_what_somebody_else_wrote_there_is_passed_over(data: bytes) -> None:
    assert parsed(Entry("EVENTS", "1-0", [b"data", data])) is None


def test_the_severity_asked_for_is_the_least_that_is_shown() -> None:
    entries = [entry(anomaly(severity=each), f"{n}-0") for n, each in enumerate(Severity)]
    shown = wanted_events(entries, Wanted(frozenset({"anomaly"}), "high"))
    assert [event.severity for event in shown] == ["high", "critical"]


def test_a_kind_that_was_not_asked_for_is_left_out() -> None:
    assert wanted_events([entry(drift())], Wanted(frozenset({"anomaly"}))) == []


def storm() -> list[Entry]:
    """An incident that opens, worsens and clears, and another that is open."""
    told = [
        anomaly(incident="a", status=Status.OPEN, severity=Severity.LOW, worst=Severity.LOW),
        anomaly(incident="b", status=Status.OPEN, count=1),
        anomaly(incident="a", status=Status.UPDATE, count=2, worst=Severity.HIGH),
        anomaly(incident="a", status=Status.ONGOING, count=3, severity=Severity.LOW,
                worst=Severity.HIGH),
        anomaly(incident="a", status=Status.CLEAR, count=3, worst=Severity.HIGH, fields=(),
                field="f1"),
    ]  # fmt: skip
    return [entry(finding, f"{n}-0") for n, finding in enumerate(told)]


def test_an_incident_is_one_line_with_its_latest_state() -> None:
    events = wanted_events(storm(), EVERYTHING)
    assert [(event.group, event.state) for event in events] == [("b", "open ×1"), ("a", "clear ×3")]
    assert events[1].fields == ("f1",)


def shifts() -> list[Entry]:
    """Drifts of three fields that belong together, one after another, and one that does not."""
    told = [
        drift(incident="d", field="flow", severity=Severity.MEDIUM, worst=Severity.MEDIUM),
        drift(incident="e", field="flow", key="pump-2"),
        drift(incident="d", field="head", status=Status.UPDATE, count=2, severity=Severity.HIGH,
              worst=Severity.HIGH),
        drift(incident="d", field="score", status=Status.ONGOING, count=3, worst=Severity.HIGH,
              drift=DriftKind.PREDICTION),
    ]  # fmt: skip
    return [entry(finding, f"{n}-0") for n, finding in enumerate(told)]


def test_drifts_that_belong_together_are_one_line_with_all_their_fields() -> None:
    other, drifted = wanted_events(shifts(), EVERYTHING)
    assert (other.group, other.state, other.fields) == ("e", "data ×1", ("flow",))
    assert (drifted.group, drifted.state) == ("d", "prediction ×3")
    assert drifted.fields == ("score", "head", "flow")
    assert (drifted.severity, drifted.worst) == ("low", "high")


def test_each_drift_is_shown_when_asked_for_and_followers_hear_of_what_is_news() -> None:
    shown = wanted_events(shifts(), Wanted(frozenset({"drift"}), each=True))
    assert [event.fields for event in shown] == [("flow",), ("flow",), ("head",), ("score",)]
    assert [event.is_news for event in shown] == [True, True, True, False]


def test_drifts_without_an_incident_stand_for_themselves() -> None:
    assert len(wanted_events([entry(drift(), f"{n}-0") for n in range(3)], EVERYTHING)) == 3


def test_each_flagged_message_is_shown_when_asked_for() -> None:
    each = Wanted(frozenset({"anomaly", "drift"}), each=True)
    assert len(wanted_events(storm(), each)) == 5
    assert [event.is_news for event in wanted_events(storm(), each)] == [True] * 3 + [False, True]


def test_an_incident_is_as_grave_as_its_worst_message() -> None:
    low_at_last = storm()[:4]
    wanted = Wanted(frozenset({"anomaly"}), "high")
    [found] = [each for each in wanted_events(low_at_last, wanted) if each.group == "a"]
    assert (found.severity, found.worst) == ("low", "high")


def test_json_is_the_event_with_its_own_uid() -> None:
    told = json.loads(Event("EVENTS/20-0", anomaly()).json())
    assert told["uid"] == "EVENTS/20-0"
    assert AnomalyEvent.model_validate_json(json.dumps({k: told[k] for k in told if k != "uid"}))


def test_the_table_shows_every_part_and_no_control_character() -> None:
    out = io.StringIO()
    show_events(console(out), [Event("EVENTS/20-0", anomaly(explanation="\x1b[2J f1 is 1"))])
    for part in ("severity", "high", "anomaly", "L3/pump", "f0, f1, f2", "f1 is 1", "L3/17-0"):
        assert part in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_a_table_that_goes_on_has_no_second_header() -> None:
    out = io.StringIO()
    show_events(console(out), [Event("EVENTS/20-0", drift())], header=False)
    assert "severity" not in out.getvalue()
