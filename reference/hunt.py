"""L4 to L8: a risk assessment that is grave enough becomes a threat alert."""

from typing import Any

from schemas import Message, RiskAssessment, Severity, ThreatAlert

GRAVE = 0.5
"""Risk from which an assessment is a threat."""


def hunt(message: Message[Any]) -> ThreatAlert | None:
    """Raise a threat alert for a grave assessment."""
    assessment = message.event
    if not isinstance(assessment, RiskAssessment) or assessment.risk < GRAVE:
        return None
    return ThreatAlert(
        kind="threat_alert",
        schema_version="1.0",
        security=assessment.security,
        subject=assessment.subject,
        threat="sensor-out-of-range",
        severity=Severity.CRITICAL if assessment.risk >= 0.9 else Severity.HIGH,
        score=assessment.risk,
        summary=assessment.rationale,
        evidence=(message.uid,),
    )
