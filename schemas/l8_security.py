"""Layer 8, security: which threats are seen, and which doors stand open.

Producers publish these on ``L8_IN``; what has been validated flows on ``L8``.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.findings import Severity
from schemas.model import Line, Model, Name, Share, Uid
from schemas.security import SecurityContext


class ThreatAlert(Model):
    """A threat to one subject, with the messages that show it."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["threat_alert"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    subject: Name = Field(description="The host, machine or person under threat.")
    threat: Name = Field(description="The threat's name, such as `lateral_movement`.")
    severity: Severity = Field(description="How grave the threat is.")
    score: Share = Field(description="Probability that the threat is real.")
    evidence: tuple[Uid, ...] = Field(
        max_length=256, description="Uids of the messages that show it."
    )
    summary: Line = Field(description="The threat in a sentence.")
    recommended_action: Line | None = Field(
        default=None, description="What to do about it, in a sentence."
    )


class Vulnerability(Model):
    """One weakness that a scan found."""

    vulnerability_id: Name = Field(description="Its public id, such as `CVE-2024-3094`.")
    component: Name = Field(description="The package or service that has it.")
    component_version: Name | None = Field(default=None, description="The version found.")
    fixed_version: Name | None = Field(
        default=None, description="The first version without it; null when there is none."
    )
    severity: Severity = Field(description="How grave it is.")
    cvss: Annotated[float, Field(ge=0.0, le=10.0)] | None = Field(
        default=None, description="CVSS base score, 0 to 10."
    )
    exploited: bool = Field(
        default=False, description="Whether it is known to be exploited in the wild."
    )


class VulnerabilityScan(Model):
    """What a scanner found on one target."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["vulnerability_scan"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    scan_id: Name = Field(description="The scanner's own id of the scan.")
    target: Name = Field(description="The host, image or repository scanned.")
    scanner: Name = Field(description="The scanner and its version.")
    vulnerabilities: tuple[Vulnerability, ...] = Field(
        max_length=4096, description="What was found; empty when nothing was."
    )
    components_scanned: int = Field(
        ge=0, le=1_000_000_000, description="How many components were looked at."
    )
    duration_s: float = Field(
        ge=0.0, le=2_592_000.0, description="How long it took, in seconds (at most 30 days)."
    )


L8SecuritySchema = Annotated[ThreatAlert | VulnerabilityScan, Field(discriminator="kind")]
"""What flows on ``L8``: a threat alert or a vulnerability scan."""
