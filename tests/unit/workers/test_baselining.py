"""What detectors take over of stored baselines, and when: with a checkpoint alone."""

import json
from typing import Any

import numpy as np
import pytest

from detectors.state import StateError
from schemas.baseline import Baseline, FieldBaseline
from schemas.topology import Topology
from schemas.topology_workers import DetectWorkerSettings
from streams.entry import Entry, Settled
from streams.keys import Lane
from tests.servers.pipeline import SMALL
from workers.baselining import Followed
from workers.detect import Detect
from workers.drift import Drift
from workers.handler import Revisable

WATCH = {"OK": {"fields": ["x", "y"]}}
TREE: dict[str, Any] = SMALL | {
    "streams": SMALL["streams"]
    | {
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
    },
    "workers": {
        **SMALL["workers"],
        "drift": {"kind": "drift", "watch": WATCH, "writes": "DRIFTS"},
        "both": {
            "kind": "detect",
            "watch": WATCH,
            "anomaly": {"writes": "EVENTS"},
            "drift": {"writes": "DRIFTS"},
        },
    },
}
TOPOLOGY = Topology.model_validate(TREE)


def baseline(version: int, **fields: int) -> Baseline:
    """One with fields, each set in a version; those that begin with an l by the worker itself."""
    known = {
        name.removeprefix("l_"): FieldBaseline(
            size=1, first="OK/1-0", last="OK/2-0", set_in=set_in, sketch="", learnt=name[:2] == "l_"
        )
        for name, set_in in fields.items()
    }
    return Baseline(
        stream="OK", version=version, change="set", changed=(), by="me", at_ms=1, fields=known
    )


def frozen(field: str) -> Baseline:
    made = baseline(1, **{field: 1})
    kept = {field: made.fields[field].model_copy(update={"frozen": True})}
    return made.model_copy(update={"fields": kept})


def entries(count: int, shift: float, begin: int = 0) -> list[Entry]:
    rng = np.random.default_rng(begin)
    rows = rng.normal(size=(count, 2)) + shift
    return [
        Entry("OK", f"{begin + at + 1}-0", [b"data", json.dumps({"x": x, "y": y}).encode()])
        for at, (x, y) in enumerate(rows.tolist())
    ]


def handler(kind: str = "drift") -> Drift | Detect:
    settings: Any = TOPOLOGY.workers[kind]
    made = Detect if isinstance(settings, DetectWorkerSettings) else Drift
    return made(TOPOLOGY, settings, kind, Lane())


def fields(settled: list[Settled]) -> list[str]:
    found = [json.loads(output.fields[1]) for each in settled for output in each.outputs]
    return [event["field"] for event in found if event["kind"] == "drift"]


def test_a_beginner_takes_over_what_there_is_and_then_follows_what_is_set() -> None:
    followed = Followed()
    assert followed.take(baseline(7, x=3, y=7)) == frozenset()
    assert followed.take(baseline(8, x=8, y=7)) == {"x"}
    assert followed.take(baseline(8, x=8, y=7)) == frozenset()
    again = Followed()
    again.restore(followed.state())
    assert again.take(baseline(9, x=8, y=9)) == {"y"}


def test_versions_that_begin_anew_are_followed() -> None:
    followed = Followed()
    followed.take(baseline(5, a=5))
    assert followed.take(baseline(1, a=1)) == {"a"}


def test_what_the_worker_set_itself_is_what_it_learnt_already() -> None:
    followed = Followed()
    assert followed.take(None) == frozenset()
    assert followed.take(baseline(1, l_x=1)) == frozenset()
    assert followed.take(baseline(2, x=2)) == {"x"}
    assert followed.take(baseline(3)) == frozenset()
    with pytest.raises(StateError):
        followed.restore({"version": -2})


@pytest.mark.parametrize("kind", ["drift", "both"])
def test_what_is_heard_changes_nothing_until_the_state_is_saved(kind: str) -> None:
    told, untold = handler(kind), handler(kind)
    assert isinstance(told, Revisable)
    for each in (told, untold):
        each.heed("OK", None)
        each.revise()
        assert fields(each.handle(entries(800, 0.0))) == []
    told.heed("OK", baseline(1, x=1))
    assert told.state() == untold.state()
    told.revise()
    back = handler(kind)
    back.restore(told.state())
    shifted = entries(250, 3.0, begin=800)  # too few to know what is normal now
    assert fields(untold.handle(shifted)) in (["x", "y"], ["y", "x"])
    assert fields(told.handle(shifted)) == ["y"]
    assert fields(back.handle(shifted)) == ["y"]
    assert back.state() == told.state()


def test_a_drift_from_what_is_frozen_is_told_again() -> None:
    made = handler()
    made.handle(entries(800, 0.0))
    made.heed("OK", frozen("x"))
    made.revise()
    found = fields(made.handle(entries(1200, 1.0, begin=800)))
    assert (found.count("x"), found.count("y")) == (4, 1)
