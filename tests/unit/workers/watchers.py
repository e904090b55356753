"""An anomaly worker and a drift worker without a server, what they are fed and what they say."""

import json
from collections.abc import Sequence
from typing import Any

from schemas.findings import AnomalyEvent, DriftEvent
from schemas.topology import Topology
from streams.entry import Entry, Output, Settled
from streams.keys import Lane
from tests.servers.pipeline import SMALL
from workers.anomaly import Anomaly
from workers.drift import Drift

LIMITED = {
    "half_space_trees": None,
    "limits": {"limits": {"measurements.x": [None, 100.0]}},
    "incidents": {"quiet": 30},
}
TREE: dict[str, Any] = SMALL | {
    "streams": SMALL["streams"]
    | {
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
    },
    "workers": {
        **SMALL["workers"],
        "anomaly": {
            "kind": "anomaly",
            "watch": {"OK": {"key": "sensor_id", "fields": ["measurements.*"]}},
            "writes": "EVENTS",
            "detectors": LIMITED,
        },
        "drift": {
            "kind": "drift",
            "watch": {"OK": {"key": "sensor_id", "predictions": ["confidence"]}},
            "writes": "DRIFTS",
            "detectors": {"codes": ["code"], "errors": ["wrong"], "max_keys": 3},
        },
    },
}
TOPOLOGY = Topology.model_validate(TREE)


def entry(number: int, sensor: str = "s1", **payload: Any) -> Entry:
    data = json.dumps({"sensor_id": sensor, **payload}).encode()
    return Entry("OK", f"{1000 + number}-0", [b"data", data])


def anomaly(**detectors: Any) -> Anomaly:
    settings = TOPOLOGY.workers["anomaly"]
    changed = settings.detectors.model_copy(update=detectors)  # type: ignore[union-attr]
    settings = settings.model_copy(update={"detectors": changed})
    return Anomaly(TOPOLOGY, settings, "anomaly", Lane())  # type: ignore[arg-type]


def drift() -> Drift:
    return Drift(TOPOLOGY, TOPOLOGY.workers["drift"], "drift", Lane())  # type: ignore[arg-type]


def outputs(settled: Sequence[Settled]) -> list[Output]:
    return [output for each in settled for output in each.outputs]


def anomalies(settled: Sequence[Settled]) -> list[AnomalyEvent]:
    return [AnomalyEvent.model_validate_json(each.fields[1]) for each in outputs(settled)]


def drifts(settled: Sequence[Settled]) -> list[DriftEvent]:
    return [DriftEvent.model_validate_json(each.fields[1]) for each in outputs(settled)]
