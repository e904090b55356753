"""A detect worker tells what an anomaly worker and a drift worker of its name tell."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from schemas.topology import Topology
from streams.entry import Entry, Settled
from streams.keys import Lane
from tests.servers.pipeline import SMALL
from workers.detect import Detect
from workers.handler import StatefulHandler
from workers.kinds import build_handler
from workers.metrics import Metrics

WATCH = {
    "OK": {"key": "sensor_id", "predictions": ["sure"], "labels": {}},
    "FED": {"fields": ["x"]},
}
ANOMALY = {
    "writes": "EVENTS",
    "detectors": {"limits": {"limits": {"x": [None, 9.0]}}, "incidents": {"quiet": 30}},
}
DRIFT = {"writes": "DRIFTS", "detectors": {"codes": ["code"], "max_keys": 3}}
APART = {
    "anomaly": {
        "kind": "anomaly",
        "watch": {"OK": {"key": "sensor_id"}, "FED": {"fields": ["x"]}},
        **ANOMALY,
    },
    "drift": {"kind": "drift", "watch": WATCH, **DRIFT},
}
TOGETHER = {"kind": "detect", "watch": WATCH, "anomaly": ANOMALY, "drift": DRIFT}


@cache
def handler(kind: str) -> StatefulHandler:
    streams = SMALL["streams"] | {
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
    }
    workers = {"both": APART.get(kind, TOGETHER)}
    tree = SMALL | {
        "streams": streams,
        "workers": workers,
        "budget": {"false_alarms": 9, "per": 60},
    }
    made = build_handler(Topology.model_validate(tree), "both", Lane())
    assert isinstance(made, StatefulHandler)
    return made


@cache
def messages() -> list[Entry]:
    """Two sensors in turn, rare ones, and a stream without keys: shifts, storms, texts, gaps."""
    rng, found = np.random.default_rng(5), []
    for number in range(2600):
        payload: dict[str, Any] = {
            "sensor_id": f"s{number % 2}" if number % 400 else f"rare {number}",
            "x": float(rng.normal()) + (8.0 * (900 < number < 930)) + 2.0 * (number > 1400),
            "site": "north" if rng.random() < (0.5 if number < 1600 else 0.9) else "south",
            "code": int(rng.integers(3)),
            "sure": float(rng.random()),
        }
        if number % 7 == 0:
            del payload["sure"]
        stream = "FED" if number % 500 < 50 else "OK"
        data = b"[1]" if number == 77 else json.dumps(payload).encode()
        found.append(Entry(stream, f"{100_000 + 20 * number}-{number % 3}", [b"data", data]))
    return found


def told(settled: Sequence[Settled]) -> list[list[Any]]:
    return [[(o.stream, o.fields, o.parents, o.lineage) for o in s.outputs] for s in settled]


def handled(worker: StatefulHandler, batch: int) -> list[list[Any]]:
    worker.reset()
    entries = messages()
    parts = [entries[i : i + batch] for i in range(0, len(entries), batch)]
    settled = [each for part in parts for each in worker.handle(part)]
    assert [each.entry for each in settled] == entries
    return told(settled)


@cache
def wanted() -> list[list[Any]]:
    anomalies, drifts = (handled(handler(kind), 500) for kind in APART)
    assert sum(map(len, anomalies)) > 10  # else this shows nothing
    assert sum(map(len, drifts)) > 3
    return [[*first, *second] for first, second in zip(anomalies, drifts, strict=True)]


@pytest.mark.parametrize("batch", [113, 2600])
def test_its_events_are_those_of_two_workers(batch: int) -> None:
    assert handled(handler("detect"), batch) == wanted()


def test_it_goes_on_from_its_checkpoint() -> None:
    worker, entries = handler("detect"), messages()
    worker.reset()
    worker.handle(entries[:1234])
    state = worker.state()
    worker.handle(entries[1234:])
    whole = worker.state()
    worker.restore(state)
    assert told(worker.handle(entries[1234:])) == wanted()[1234:]
    assert worker.state() == whole


def test_a_state_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="has no 'anomaly'"):
        handler("detect").restore(handler("drift").state())


def test_its_fingerprint_changes_with_the_settings_of_either() -> None:
    names = {handler(kind).fingerprint for kind in (*APART, "detect")}
    assert len(names) == 3


def test_it_counts_what_both_count_and_its_events_by_severity() -> None:
    worker = handler("detect")
    assert isinstance(worker, Detect)
    worker.reset()
    metrics = Metrics("both", "detect", 0.0, handler=worker)
    metrics.expect(["OK", "FED"])
    settled = worker.handle(messages())
    metrics.batch(settled, 0.1, 1.0)
    anomaly, drift = (handler(kind) for kind in APART)
    each = [part.counts()["OK"] for part in (anomaly, drift)]  # type: ignore[attr-defined]
    wanted = sum(counts["keys_evicted"] for counts in each)
    assert worker.counts()["OK"]["keys_evicted"] == wanted > 0
    told = [output.lineage for each in settled for output in each.outputs]
    kinds = Counter(note["finding"]["kind"] for note in told if note)
    assert set(kinds) == {"anomaly", "drift"}
    for kind, number in kinds.items():
        assert counted(metrics, kind) == number


def counted(metrics: Metrics, kind: str) -> float:
    return sum(
        sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "penstock_events_total" and sample.labels["kind"] == kind
    )
