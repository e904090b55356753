"""What ``streams.yaml`` says of a worker, kind by kind."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from schemas.anomaly_settings import AnomalySettings
from schemas.detector_settings import Settings
from schemas.drift_settings import DriftSettings
from schemas.duration import Duration
from schemas.graph_retention import GraphRetention
from schemas.label_settings import LabelSettings
from schemas.lineage_record import Grain
from schemas.replicas import Replicas
from schemas.size import Size

StreamName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$")]
"""A stream's name: letters, digits, ``_``, ``.``, ``-``; no lane tag, no slash, no colon."""

WorkerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
"""A worker's name, which is also its consumer group: lower case, digits, ``_``, ``-``."""

Dotted = Annotated[str, StringConstraints(pattern=r"^[\w.]+:\w+$", max_length=256)]
"""``package.module:name``."""

_STALLED_S = 30.0


class WorkerSettings(Settings):
    """What every worker has; ``kind`` says which worker it is."""

    replicas: Replicas = Field(
        Replicas(min=1, max=1),
        description="Processes to run: a number, or `{min: 1, max: 4}` for as many as are needed.",
    )
    max_memory: Annotated[Size, Field(ge=64_000_000)] | None = Field(
        None,
        description="A process that holds more, such as `300MB`, is drained and replaced; at "
        "least `64MB`; none: no bound but the machine's.",
    )
    max_batch: Annotated[int, Field(ge=1, le=10_000)] = Field(
        500, description="Entries handled and committed in one step, at most."
    )
    max_wait: Duration | None = Field(
        None,
        description="How long a batch that is not full waits for more: fewer and larger batches, "
        "later by so much. When absent it does not wait.",
    )
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="Deliveries of one entry before it becomes a dead letter."
    )
    deadline: Duration = Field(
        60.0,
        description="Longest time that handling one batch may take; then the process ends itself, "
        "and the delivery counts as an attempt.",
    )
    stalled_after: Annotated[Duration, Field(ge=1)] | None = Field(
        None,
        description="A process that settles nothing for so long, although entries wait for it, is "
        "replaced; at least `1s`; when absent, `deadline` and 30 s more.",
    )
    checkpoint_every: Duration = Field(
        2.0, description="Longest time between two checkpoints of a worker that has state."
    )
    lineage: Grain = Field(
        "message",
        description="`message`: each message has a node in the provenance graph. `batch`: a "
        "commit's messages share one, until one is flagged or needed; not for streams of layer 7 "
        "and above.",
    )
    lineage_sample: Annotated[int, Field(ge=0, le=2**31)] = Field(
        1000,
        description="With `lineage: batch`: one message in so many has a node at once; 0: none.",
    )

    @property
    def stalled_after_s(self) -> float:
        """``stalled_after``, or what stands for it."""
        return self.deadline + _STALLED_S if self.stalled_after is None else self.stalled_after


class GateSettings(WorkerSettings):
    """Validates what enters and forwards the producer's bytes; the rest is rejected."""

    kind: Literal["gate"] = Field(description="Makes it this kind of worker.")
    routes: Annotated[dict[StreamName, StreamName], Field(min_length=1)] = Field(
        description="From the stream that producers write to the stream of what is valid."
    )
    rejects_to: StreamName = Field(description="Where rejected messages go, with the reason.")


class Watched(Settings):
    """How a detector worker looks at one stream."""

    key: Annotated[str, Field(max_length=128)] | None = Field(
        None, description="Payload field whose values are watched apart, such as `sensor_id`."
    )
    fields: tuple[str, ...] = Field(
        (),
        description="Patterns of the numeric fields to watch: `measurements.*`; all if empty.",
    )


class DriftWatched(Watched):
    """How a drift worker looks at one stream."""

    predictions: tuple[str, ...] = Field(
        (),
        description="Patterns of the fields that a model predicted, such as `confidence`: their "
        "drift is told as prediction drift.",
    )
    labels: LabelSettings | None = Field(
        None,
        description="Joins predictions with the labels that follow in the same stream, and watches "
        "errors and confidences; `{}` for messages of `schemas:Label`.",
    )


class WatchingSettings(WorkerSettings):
    """What workers with detectors have: a longer batch costs them little more than a short one."""

    max_batch: Annotated[int, Field(ge=1, le=10_000)] = Field(
        2000, description="Entries handled and committed in one step, at most."
    )


class AnomalyWorkerSettings(WatchingSettings):
    """Flags unlike messages."""

    kind: Literal["anomaly"] = Field(description="Makes it this kind of worker.")
    watch: Annotated[dict[StreamName, Watched], Field(min_length=1)] = Field(
        description="The streams to watch."
    )
    writes: StreamName = Field(description="Where its events go.")
    detectors: AnomalySettings = Field(AnomalySettings(), description="Detectors and thresholds.")


class DriftWorkerSettings(WatchingSettings):
    """Finds fields whose distribution changed."""

    kind: Literal["drift"] = Field(description="Makes it this kind of worker.")
    watch: Annotated[dict[StreamName, DriftWatched], Field(min_length=1)] = Field(
        description="The streams to watch."
    )
    writes: StreamName = Field(description="Where its events go.")
    detectors: DriftSettings = Field(DriftSettings(), description="Detectors and thresholds.")


class AnomalyPart(Settings):
    """What a detect worker flags."""

    writes: StreamName = Field(description="Where its anomaly events go.")
    detectors: AnomalySettings = Field(AnomalySettings(), description="Detectors and thresholds.")


class DriftPart(Settings):
    """What changes a detect worker looks for."""

    writes: StreamName = Field(description="Where its drift events go.")
    detectors: DriftSettings = Field(DriftSettings(), description="Detectors and thresholds.")


class DetectWorkerSettings(WatchingSettings):
    """Does the work of an anomaly and of a drift worker; it reads each message once for both."""

    kind: Literal["detect"] = Field(description="Makes it this kind of worker.")
    watch: Annotated[dict[StreamName, DriftWatched], Field(min_length=1)] = Field(
        description="The streams to watch, by both."
    )
    anomaly: AnomalyPart = Field(description="What it does as an anomaly worker.")
    drift: DriftPart = Field(description="What it does as a drift worker.")

    @property
    def parts(self) -> tuple[AnomalyWorkerSettings, DriftWorkerSettings]:
        """The two workers whose work it does."""
        same = {name: getattr(self, name) for name in WorkerSettings.model_fields}
        shared: dict[str, Any] = {**same, "watch": self.watch}
        return (
            AnomalyWorkerSettings(kind="anomaly", **shared, **dict(self.anomaly)),
            DriftWorkerSettings(kind="drift", **shared, **dict(self.drift)),
        )


class TransformSettings(WorkerSettings):
    """Runs a pipeline author's own function, from events to events."""

    kind: Literal["transform"] = Field(description="Makes it this kind of worker.")
    call: Dotted = Field(description="`package.module:function`.")
    reads: Annotated[tuple[StreamName, ...], Field(min_length=1)] = Field(
        description="The streams whose messages the function gets."
    )
    writes: Annotated[tuple[StreamName, ...], Field(min_length=1)] = Field(
        description="The streams that its events go to; the first is the default."
    )
    memory: bool = Field(
        False, description="The function keeps a `memory` dict, checkpointed and rebuilt."
    )


class LineageWorkerSettings(WorkerSettings):
    """Writes the provenance graph."""

    kind: Literal["lineage"] = Field(description="Makes it this kind of worker.")
    retention: GraphRetention | None = Field(
        None, description="What it removes from the graph, and how often; none: nothing."
    )


AnyWorker = Annotated[
    GateSettings
    | AnomalyWorkerSettings
    | DriftWorkerSettings
    | DetectWorkerSettings
    | TransformSettings
    | LineageWorkerSettings,
    Field(discriminator="kind"),
]
