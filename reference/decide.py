"""L8 to L9: what to do about a threat alert."""

from typing import Any

from schemas import Decision, Message, ThreatAlert

ISOLATE = 0.75
"""Score from which a subject is isolated rather than watched."""


def decide(message: Message[Any]) -> Decision | None:
    """Decide about the subject of a threat alert."""
    alert = message.event
    if not isinstance(alert, ThreatAlert):
        return None
    isolate = alert.score >= ISOLATE
    return Decision(
        kind="decision",
        schema_version="1.0",
        security=alert.security,
        subject=alert.subject,
        choice="isolate" if isolate else "inspect",
        confidence=alert.score,
        rationale=f"{alert.threat} at {alert.subject}: {alert.summary}"[:1024],
        alternatives=("inspect",) if isolate else ("ignore",),
        evidence=(message.uid,),
    )
