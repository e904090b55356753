"""What one commit adds to the provenance graph, as it travels on the ``LINEAGE`` stream.

A record is written by the commit script in the same step as the outputs it describes. The
server chooses the outputs' entry ids, so the record's entry carries them in a second field,
``ids``: one word an output, in order, those that are ``alike`` included, ``-`` for an output that
was not emitted because another worker had settled its input.

A record says the same of its outputs whether they are to be stored one by one or as batches; its
``grain`` tells which.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.findings import Severity
from schemas.model import Line, Model, Name, Uid, Version
from schemas.security import Classification

RoeHash = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""The first 16 bytes of an HMAC-SHA256 of a ROE token, in hexadecimal digits."""

FindingKind = Literal["anomaly", "drift", "rejection", "dead_letter"]


Grain = Literal["message", "batch"]
"""How a worker's outputs stand in the provenance graph: a node each, or a node for a batch."""


class LineageFinding(Model):
    """That an output is a finding about messages: which kind, by which detector, how grave."""

    kind: FindingKind = Field(description="What was found.")
    detector: Name = Field(description="The detector or worker that found it.")
    severity: Severity | None = Field(None, description="How grave, where there is a measure.")
    summary: Line = Field(description="One sentence.")
    flagged: Annotated[
        tuple[Uid, ...], Field(max_length=1024, description="The messages it is about.")
    ]


class LineageOutput(Model):
    """One output of a commit and what it came from, or several that differ in that alone.

    ``stream`` is the key it was written to; ``parents`` are the uids it was derived from. Each
    item of ``alike`` stands for one more output, the next in order, with these parents.
    ``source`` and ``producer_id`` are the ones that the producer of the first parent gave.
    """

    stream: Name = Field(description="The key it was written to.")
    parents: Annotated[
        tuple[Uid, ...], Field(max_length=1024, description="What it was derived from.")
    ]
    schema_name: Name | None = Field(None, description="Its schema.")
    schema_version: Version | None = Field(None, description="That schema's version.")
    tenant: Name | None = Field(None, description="Who owns it.")
    classification: Classification | None = Field(None, description="How widely it may be seen.")
    source: Name | None = Field(None, description="Who produced the first parent.")
    producer_id: Name | None = Field(None, description="The id the producer gave it.")
    roe_hash: RoeHash | None = Field(None, description="Keyed hash of its ROE token.")
    finding: LineageFinding | None = Field(None, description="Set where the output is a finding.")
    supersedes: Annotated[
        tuple[Uid, ...],
        Field(max_length=1024, description="The messages whose place it takes, after a replay."),
    ] = ()
    alike: Annotated[
        tuple[Annotated[tuple[Uid, ...], Field(max_length=1024)], ...],
        Field(max_length=100_000, description="The parents of further outputs, alike in all else."),
    ] = ()


class LineageRecord(Model):
    """All outputs of one commit, with the worker that made them.

    ``run`` names the worker process (its consumer name), ``at_ms`` is the commit's time on the
    worker's clock in milliseconds since the epoch.
    """

    schema_version: Version = "1.0"
    worker: Name = Field(description="The worker.")
    worker_kind: Name = Field(description="Its kind.")
    worker_version: Name = Field(description="Its version.")
    host: Name = Field(description="The machine it ran on.")
    run: Name = Field(description="The process.")
    at_ms: Annotated[int, Field(ge=0, le=2**53, description="Commit time, ms since the epoch.")]
    grain: Grain = Field("message", description="Whether outputs get a node each or as batches.")
    sample: Annotated[int, Field(ge=0, le=2**31)] = Field(
        0, description="Of messages in batches one in so many has a node of its own; 0: none."
    )
    outputs: Annotated[
        tuple[LineageOutput, ...], Field(max_length=100_000, description="What it emitted.")
    ]
