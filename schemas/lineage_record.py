"""What one commit adds to the provenance graph, as it travels on the ``LINEAGE`` stream.

A record is written by the commit script in the same step as the outputs it describes. The
server chooses the outputs' entry ids, so the record's entry carries them in a second field,
``ids``: one word an output, in order, ``-`` for an output that was not emitted because another
worker had settled its input.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.findings import Severity
from schemas.model import Line, Model, Name, Uid, Version
from schemas.security import Classification

FindingKind = Literal["anomaly", "drift", "rejection", "dead_letter"]


class LineageFinding(Model):
    """That an output is a finding about messages: which kind, by which detector, how grave."""

    kind: FindingKind
    detector: Name
    severity: Severity | None = None
    summary: Line
    flagged: Annotated[tuple[Uid, ...], Field(max_length=1024)]


class LineageOutput(Model):
    """One output of a commit and what it came from.

    ``stream`` is the key it was written to; ``parents`` are the uids it was derived from.
    ``source`` and ``producer_id`` are the ones that the producer of the first parent gave.
    """

    stream: Name
    parents: Annotated[tuple[Uid, ...], Field(max_length=1024)]
    schema_name: Name | None = None
    schema_version: Version | None = None
    tenant: Name | None = None
    classification: Classification | None = None
    source: Name | None = None
    producer_id: Name | None = None
    finding: LineageFinding | None = None


class LineageRecord(Model):
    """All outputs of one commit, with the worker that made them.

    ``run`` names the worker process (its consumer name), ``at_ms`` is the commit's time on the
    worker's clock in milliseconds since the epoch.
    """

    schema_version: Version = "1.0"
    worker: Name
    worker_kind: Name
    worker_version: Name
    host: Name
    run: Name
    at_ms: Annotated[int, Field(ge=0)]
    outputs: Annotated[tuple[LineageOutput, ...], Field(max_length=100_000)]
