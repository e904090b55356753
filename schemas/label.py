"""What a prediction turned out to be worth: the two halves, together or one after the other."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.findings import Millis
from schemas.model import Model, Name, Share, Uid
from schemas.security import SecurityContext

Outcome = bool | Annotated[int, Field(ge=-(2**53), le=2**53)] | float | Name
"""A class, as its name, number or truth; or a number."""


class Label(Model):
    """A prediction, its label, or both, about the message of one uid.

    Whoever knows both sends them together. Else the halves are two messages of one stream, in
    either order, with the same ``message``; the drift worker joins them. One with neither says
    nothing and is joined with nothing.
    """

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["label"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    message: Uid = Field(description="The message that the prediction was made in.")
    model: Name | None = Field(default=None, description="The model that made it.")
    prediction: Outcome | None = Field(default=None, description="What was predicted.")
    confidence: Share | None = Field(
        default=None, description="Probability, as the model has it, that it is right."
    )
    label: Outcome | None = Field(default=None, description="What was true.")
    observed_at_ms: Millis | None = Field(
        default=None, description="When the label became known, ms since the epoch."
    )
