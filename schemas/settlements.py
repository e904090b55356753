"""What became of a message that did not go on: rejected at a boundary, or a dead letter.

Both travel as an entry whose ``data`` is one of these objects, and whose further fields are
the untouched fields of the original, each name prefixed with ``original.``.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.model import Line, Model, Name, Uid, Version


class Violation(Model):
    """One reason for a rejection: where in the payload, what rule, and the rule's own words."""

    path: Annotated[str, Field(max_length=512)]
    rule: Name
    message: Line


class Rejection(Model):
    """A message that its boundary refused (an entry of ``SHRINK``)."""

    schema_version: Version = "1.0"
    kind: Literal["rejection"] = "rejection"
    message: Uid
    stream: Name
    schema_name: Name
    worker: Name
    violations: Annotated[tuple[Violation, ...], Field(min_length=1, max_length=32)]


class DeadLetter(Model):
    """A message that was accepted, but that a worker could not process (``DEAD_LETTER``).

    ``attempts`` counts deliveries as Redis counts them, so a killed process counts too.
    """

    schema_version: Version = "1.0"
    kind: Literal["dead_letter"] = "dead_letter"
    message: Uid
    stream: Name
    worker: Name
    attempts: Annotated[int, Field(ge=1)]
    error: Line
