"""Layer 4, intelligence: what is planned, what is at risk, and who is against it.

Producers publish these on ``L4_IN``; what has been validated flows on ``L4``.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.model import Line, Model, Name, Share, Uid
from schemas.security import SecurityContext


class PlanStep(Model):
    """One step of a mission plan."""

    step: Name = Field(description="The step's name, unique in its plan.")
    action: Line = Field(description="What is to be done.")
    after: tuple[Name, ...] = Field(
        default=(), max_length=64, description="Steps that must be done before this one."
    )
    duration_s: Annotated[float, Field(ge=0.0, le=315_576_000.0)] | None = Field(
        default=None, description="Planned duration in seconds (at most ten years)."
    )


class MissionPlan(Model):
    """An objective and the steps that lead to it."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["mission_plan"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    plan_id: Name = Field(description="The planner's own id of the plan.")
    objective: Line = Field(description="What the plan is to achieve.")
    priority: int = Field(ge=1, le=5, description="1 (first) to 5 (last).")
    horizon_s: float = Field(
        gt=0.0,
        le=315_576_000.0,
        description="How far the plan reaches, in seconds (at most ten years).",
    )
    steps: tuple[PlanStep, ...] = Field(
        min_length=1, max_length=256, description="The steps, in the order of their listing."
    )
    assets: tuple[Name, ...] = Field(
        default=(), max_length=256, description="People, machines and places that it needs."
    )
    confidence: Share | None = Field(
        default=None, description="The planner's probability that the plan succeeds."
    )


class RiskAssessment(Model):
    """How much is at stake for one subject, and why."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["risk_assessment"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    subject: Name = Field(description="The host, machine, plan or person assessed.")
    risk: Share = Field(description="The overall risk, 0 (none) to 1 (certain total loss).")
    likelihood: Share = Field(description="Probability that the harm comes about.")
    impact: Share = Field(description="Share of the subject's value that the harm would cost.")
    rationale: Line = Field(description="Why, in a sentence.")
    evidence: tuple[Uid, ...] = Field(
        max_length=256, description="Uids of the messages that the assessment rests on."
    )
    mitigations: tuple[Line, ...] = Field(
        default=(), max_length=32, description="What would lower the risk, best first."
    )


class AdversaryModel(Model):
    """What is known of an adversary: abilities, intent, techniques and targets."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["adversary_model"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    adversary: Name = Field(description="The adversary's name.")
    aliases: tuple[Name, ...] = Field(
        default=(), max_length=64, description="Other names for the same adversary."
    )
    capability: Share = Field(description="Ability to do harm, 0 (none) to 1 (unlimited).")
    intent: Share = Field(description="Will to do harm, 0 (none) to 1 (certain).")
    techniques: tuple[Annotated[str, Field(pattern=r"^T[0-9]{4}(\.[0-9]{3})?$")], ...] = Field(
        default=(), max_length=256, description="MITRE ATT&CK ids, such as `T1059.001`."
    )
    targets: tuple[Name, ...] = Field(
        default=(), max_length=256, description="What it is known to go after."
    )
    confidence: Share = Field(description="Probability that the model is right.")
    evidence: tuple[Uid, ...] = Field(
        max_length=256, description="Uids of the messages that the model rests on."
    )


L4IntelSchema = Annotated[
    MissionPlan | RiskAssessment | AdversaryModel,
    Field(discriminator="kind"),
]
"""What flows on ``L4``: a mission plan, a risk assessment or an adversary model."""
