"""Layer 9, strategy: what was decided, and what is to be done about it.

Producers publish these on ``L9_IN``; what has been validated flows on ``L9``.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.model import Line, Model, Name, Share, Uid
from schemas.security import SecurityContext


class Decision(Model):
    """A choice about one subject, with its reasons and what was turned down."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["decision"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    subject: Name = Field(description="What the decision is about.")
    choice: Name = Field(description="What was chosen, such as `isolate_host`.")
    confidence: Share = Field(description="Probability that the choice is the right one.")
    rationale: Line = Field(description="Why, in a sentence.")
    evidence: tuple[Uid, ...] = Field(
        max_length=256, description="Uids of the messages that the decision rests on."
    )
    alternatives: tuple[Name, ...] = Field(
        default=(), max_length=64, description="What was turned down, best first."
    )


class Command(Model):
    """An order to one target, usually following a decision."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["command"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    command_id: Name = Field(description="The issuer's own id; a target obeys it once.")
    target: Name = Field(description="The host, machine or team that is to act.")
    action: Name = Field(description="What it is to do, such as `isolate_host`.")
    parameters: dict[Name, Line | float | bool] = Field(
        default_factory=dict, max_length=128, description="The action's parameters by name."
    )
    decision: Uid | None = Field(
        default=None, description="Uid of the decision that the command carries out."
    )
    priority: int = Field(ge=1, le=5, description="1 (first) to 5 (last).")
    valid_for_s: Annotated[float, Field(gt=0.0, le=31_557_600.0)] | None = Field(
        default=None, description="Not to be obeyed after so many seconds (at most a year)."
    )


L9StrategicSchema = Annotated[Decision | Command, Field(discriminator="kind")]
"""What flows on ``L9``: a decision or a command."""
