"""The model of ``streams.yaml``: every stream, schema, worker and threshold of a pipeline.

It is loaded once into one frozen ``Topology``; ``schemas.topology_file`` reads the file and
``schemas.topology_graph`` checks it as a whole graph.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.budget_settings import BudgetSettings
from schemas.detector_settings import Settings
from schemas.duration import Duration
from schemas.model import Line
from schemas.topology_workers import AnyWorker, Dotted, StreamName, WorkerName


class Retention(Settings):
    """What a stream keeps beyond what its groups still need. Unread entries are always kept."""

    age: Duration | None = Field(None, description="Keep entries younger than this.")
    entries: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Keep at most about this many entries."
    )


class StreamSettings(Settings):
    """One stream."""

    schema_name: Dotted = Field(alias="schema", description="`package.module:Name` of the schema.")
    layer: Annotated[int, Field(ge=0, le=99)] | None = Field(
        None, description="The layer it is on."
    )
    source: bool = Field(False, description="Written by producers outside the pipeline.")
    sink: bool = Field(False, description="Read by consumers outside the pipeline.")
    high_water: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Entries waiting on a lane at which our publishers slow down, and a metric "
        "and an alert tell of it.",
    )
    retention: Retention = Field(Retention(), description="What is kept once it has been read.")
    description: Line = Field("", description="A sentence for people.")


class Limits(Settings):
    """What one message may cost."""

    entry_bytes: Annotated[int, Field(ge=1_024, le=512 * 1024 * 1024)] = Field(
        1_048_576, description="Largest payload, in bytes."
    )
    nesting: Annotated[int, Field(ge=1, le=190)] = Field(
        64, description="Deepest nesting of objects and lists in a payload."
    )


class Delivery(Settings):
    """How the hand-off between streams is timed."""

    lease: Annotated[Duration, Field(ge=0.3, le=3600)] = Field(
        10.0, description="A consumer that does not renew its lease for this long counts as dead."
    )
    block: Annotated[Duration, Field(le=5)] = Field(
        0.5, description="Longest wait for new entries in one read."
    )
    remember_ids: Duration = Field(
        3600.0, description="How long a producer's `id` is remembered to drop its duplicates."
    )
    trim_every: Duration = Field(5.0, description="Time between two trims of a stream.")


class Topology(Settings):
    """The whole pipeline. Names are the user's; the code knows none of them."""

    version: Literal[1] = Field(description="The version of this file's format.")
    name: WorkerName = Field("pipeline", description="The pipeline's name.")
    lanes: Annotated[int, Field(ge=1, le=1024)] = Field(
        1, description="Partitions of every stream."
    )
    dead_letters: StreamName = Field(description="Stream of what no worker could process.")
    lineage: StreamName = Field(description="Stream of the provenance records.")
    supervisor: StreamName | None = Field(
        None, description="Stream of what the supervisor did; none: its log alone tells."
    )
    budget: BudgetSettings | None = Field(
        None,
        description="False alarms that all drift workers may raise together; none: each detector "
        "has its own `run_length`.",
    )
    limits: Limits = Field(Limits(), description="Bounds on a message; beyond them: rejected.")
    delivery: Delivery = Field(Delivery(), description="Timing of the hand-off.")
    streams: Annotated[dict[StreamName, StreamSettings], Field(min_length=1)] = Field(
        description="Every stream."
    )
    workers: Annotated[dict[WorkerName, AnyWorker], Field(min_length=1)] = Field(
        description="Every worker."
    )
