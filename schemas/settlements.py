"""What became of a message that did not go on: rejected at a boundary, or a dead letter.

Both travel as an entry whose ``data`` is one of these objects, and whose further fields are
the untouched fields of the original, each name prefixed with ``original.``.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.model import Line, Model, Name, Uid, Version


class Violation(Model):
    """One reason for a rejection: where in the payload, what rule, and the rule's own words."""

    path: Annotated[str, Field(max_length=512, description="Dotted; empty: the whole payload.")]
    rule: Name = Field(description="The rule it broke, such as `finite_number`.")
    message: Line = Field(description="The rule in words.")


class Rejection(Model):
    """A message that its boundary refused (an entry of ``SHRINK``)."""

    schema_version: Version = "1.0"
    kind: Literal["rejection"] = "rejection"
    message: Uid = Field(description="The rejected message.")
    stream: Name = Field(description="The key it was read from; a release goes back there.")
    schema_name: Name = Field(description="The schema that refused it.")
    worker: Name = Field(description="The gate.")
    violations: Annotated[
        tuple[Violation, ...], Field(min_length=1, max_length=32, description="Why; at most 32.")
    ]


class DeadLetter(Model):
    """A message that was accepted, but that a worker could not process (``DEAD_LETTER``).

    ``attempts`` counts deliveries as Redis counts them, so a killed process counts too.
    """

    schema_version: Version = "1.0"
    kind: Literal["dead_letter"] = "dead_letter"
    message: Uid = Field(description="The message.")
    stream: Name = Field(description="The key it was read from; a release goes back there.")
    worker: Name = Field(description="The worker that could not process it.")
    attempts: Annotated[int, Field(ge=1, le=2**53, description="Deliveries, as Redis counts.")]
    error: Line = Field(description="The last error.")
