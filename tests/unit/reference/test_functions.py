"""The reference functions: from readings out of range to a decision, the same for any split."""

import json
from typing import Any

from pydantic import TypeAdapter

from reference.assess import NEEDED, WARM_UP, assess
from reference.decide import decide
from reference.hunt import hunt
from schemas import Decision, EmergencyAlert, Message, RiskAssessment, SensorReading, ThreatAlert
from schemas.examples import EXAMPLES
from tests.servers.pipeline import reading


def message(event: Any, number: int = 1, stream: str = "L3") -> Message[Any]:
    return Message(event, f"{stream}/{number}-0", stream, number)


def reading_of(x: float) -> SensorReading:
    return SensorReading.model_validate_json(reading(x=x))


def assessments(values: list[float]) -> list[Any]:
    memory: dict[str, Any] = {}
    found = []
    for number, value in enumerate(values):
        found += list(assess(message(reading_of(value), number), memory))
        memory = json.loads(json.dumps(memory))
    return found


def usual(count: int) -> list[float]:
    return [float(i % 7) for i in range(count)]


def test_readings_out_of_range_become_one_assessment_with_them_as_parents() -> None:
    (found,) = assessments([*usual(WARM_UP + 50), *[90.0] * NEEDED])
    start = WARM_UP + 50
    assert list(found.parents) == [f"L3/{start + i}-0" for i in range(NEEDED)]
    assert found.event.subject == "s1"
    assert 0.5 < found.event.risk < 1.0
    assert "x was" in found.event.rationale


def test_a_single_outlier_or_an_early_one_is_no_assessment() -> None:
    assert assessments([*usual(WARM_UP + 50), 90.0, *usual(100)]) == []
    assert assessments([*usual(WARM_UP // 2), 90.0, 90.0, 90.0]) == []


def test_what_is_no_reading_is_left_alone() -> None:
    alert = TypeAdapter(EmergencyAlert).validate_json(json.dumps(EXAMPLES["emergency_alert"]))
    assert list(assess(message(alert), {})) == []


def test_a_grave_assessment_becomes_an_alert_and_a_decision() -> None:
    (found,) = assessments([*usual(WARM_UP + 50), *[90.0] * NEEDED])
    alert = hunt(message(found.event, 5, "L4"))
    assert isinstance(alert, ThreatAlert)
    assert alert.evidence == ("L4/5-0",)
    decision = decide(message(alert, 6, "L8"))
    assert isinstance(decision, Decision)
    assert decision.choice == "isolate"
    assert decision.evidence == ("L8/6-0",)
    mild = alert.model_copy(update={"score": 0.6})
    assert decide(message(mild)).choice == "inspect"  # type: ignore[union-attr]


def test_what_is_not_grave_or_of_another_kind_goes_no_further() -> None:
    risk = RiskAssessment.model_validate_json(json.dumps(EXAMPLES["risk_assessment"]))
    assert hunt(message(risk.model_copy(update={"risk": 0.1}))) is None
    assert hunt(message(reading_of(1.0))) is None
    assert decide(message(reading_of(1.0))) is None
