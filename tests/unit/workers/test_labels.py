"""Predictions and labels: joined in either order, bounded, the same in any split, told of."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.state import StateError, pack, unpack
from schemas.findings import DriftEvent
from schemas.label import Label
from schemas.label_settings import LabelSettings
from schemas.topology import Topology
from streams.entry import Entry
from streams.keys import Lane
from tests.servers.pipeline import SECURITY, topology_from
from workers.drift import Drift
from workers.labels import Pair, Waiting
from workers.metrics import Metrics

TREE: dict[str, Any] = {
    "version": 1,
    "dead_letters": "DEAD_LETTER",
    "lineage": "LINEAGE",
    "streams": {
        "LABELS": {"schema": "schemas:Label", "source": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
        "DEAD_LETTER": {"schema": "schemas:DeadLetter", "sink": True},
        "LINEAGE": {"schema": "schemas:LineageRecord", "sink": True},
    },
    "workers": {
        "quality": {
            "kind": "drift",
            "watch": {"LABELS": {"key": "model", "labels": {"waiting": 500}}},
            "writes": "DRIFTS",
        }
    },
}


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(TREE, tmp_path)


def entry(number: int, about: int | None = None, **said: Any) -> Entry:
    payload = {"schema_version": "1.0", "kind": "label", "security": SECURITY, **said}
    if about is not None:
        payload["message"] = f"L5/{about}-0"
    return Entry("LABELS", f"{1000 + number}-0", [b"data", json.dumps(payload).encode()])


def joined(entries: Sequence[Entry], waiting: Waiting | None = None) -> list[Pair]:
    waiting = waiting or Waiting(LabelSettings())
    rows = ((row, each, None, json.loads(each.fields[1])) for row, each in enumerate(entries))
    return [pair for each in rows for pair in waiting.take(*each)]


def test_a_prediction_and_its_label_meet_in_either_order() -> None:
    halves = [
        entry(0, 7, prediction="a", confidence=0.9),
        entry(1, 8, label="b"),
        entry(2, 7, label="a"),
        entry(3, 8, prediction="a", confidence=0.6),
    ]
    assert joined(halves) == [Pair(2, None, 0.0, 0.9), Pair(3, None, 1.0, 0.6)]


def test_whoever_knows_both_sends_them_together() -> None:
    [pair] = joined([entry(0, 7, prediction=True, label=False, confidence=0.9)])
    assert (pair.error, pair.confidence) == (1.0, 0.9)


def test_a_prediction_that_names_no_message_is_one_about_itself() -> None:
    itself = entry(0, prediction="a")
    said = json.dumps({"message": itself.uid, "label": "a"}).encode()
    label = Entry("LABELS", "2000-0", [b"data", said])
    assert [pair.error for pair in joined([itself, label])] == [0.0]


def test_the_last_label_before_the_prediction_counts() -> None:
    halves = [entry(0, 1, label="b"), entry(1, 1, label="a"), entry(2, 1, prediction="a")]
    assert [pair.error for pair in joined(halves)] == [0.0]


def test_a_label_corrected_after_the_pair_has_counted_changes_nothing() -> None:
    waiting = Waiting(LabelSettings())
    halves = [entry(0, 1, prediction="a"), entry(1, 1, label="b"), entry(2, 1, label="a")]
    assert [pair.error for pair in joined(halves, waiting)] == [1.0]
    again = Waiting(LabelSettings())
    again.restore(unpack(pack(waiting.state())))
    assert joined([entry(3, 1, label="a"), entry(4, 1, prediction="b")], again) == []
    assert (again.n_corrected, again.n_evicted) == (2, 0)
    joined([entry(5000, 2, prediction="a")], again)
    assert pack(again.state()) == pack(restored(again).state())


def test_a_pair_that_settles_counts_with_its_last_label() -> None:
    waiting = restored(Waiting(LabelSettings(settle=1.0)))
    halves = [
        entry(0, 1, prediction="a"),
        entry(10, 1, label="b"),
        entry(900, 1, label="a"),
        entry(1009, 2, prediction="a"),
    ]
    assert joined(halves, waiting) == []
    waiting = restored(waiting, settle=1.0)
    assert joined([entry(1010, 3, prediction="a")], waiting) == [
        Pair(0, None, 0.0, pytest.approx(float("nan"), nan_ok=True))
    ]
    assert joined([entry(1011, 1, label="b")], waiting) == []
    assert waiting.n_corrected == 1


def test_what_has_counted_is_forgotten_by_number_and_by_age() -> None:
    waiting = Waiting(LabelSettings(waiting=2, age=1.0))
    joined([entry(n, n, prediction="a", label="a") for n in range(50)], waiting)
    assert len(pack(waiting.state())) < 250
    joined([entry(5000)], waiting)
    assert b"L5/" not in pack(waiting.state())


def restored(waiting: Waiting, **settings: Any) -> Waiting:
    again = Waiting(LabelSettings(**settings) if settings else waiting._settings)
    again.restore(unpack(pack(waiting.state())))
    return again


@pytest.mark.parametrize(
    ("prediction", "label", "tolerance", "error"),
    [
        (1.0, 1, 0.0, 0),
        (3.0, 3.4, 0.5, 0),
        (3.0, 3.6, 0.5, 1),
        ("1", 1, 9.0, 1),
        (True, True, 0, 0),
    ],
)
def test_right_is_what_is_equal_or_within_the_tolerance(
    prediction: Any, label: Any, tolerance: float, error: int
) -> None:
    waiting = Waiting(LabelSettings(tolerance=tolerance))
    [pair] = joined([entry(0, 1, prediction=prediction, label=label)], waiting)
    assert pair.error == error


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 10**400, [1], {"a": 1}, None])
def test_what_is_no_class_and_no_number_is_no_half(odd: Any) -> None:
    waiting = Waiting(LabelSettings())
    assert waiting.take(0, entry(0), None, {"prediction": odd, "label": "a"}) == []
    assert waiting.take(1, entry(1), None, {"prediction": "a", "confidence": odd}) == []


def test_halves_are_forgotten_by_number_and_by_age_and_counted() -> None:
    waiting = Waiting(LabelSettings(waiting=2, age=1.0))
    assert joined([entry(n, n, prediction="a") for n in range(3)], waiting) == []
    assert waiting.n_evicted == 1
    assert joined([entry(5, 0, label="a"), entry(6, 2, label="a")], waiting) == [
        Pair(1, None, 0.0, pytest.approx(float("nan"), nan_ok=True))
    ]
    joined([entry(5000, 99, label="a")], waiting)
    assert waiting.n_evicted == 3  # 1, for its number, then the unmatched label of 0, for its age


def test_a_damaged_table_is_refused() -> None:
    for halves in (b"[[1]]", b"{}", b"[1]", b"[" + b",".join([b"[]"] * 3) + b"]"):
        state = Waiting(LabelSettings()).state()
        with pytest.raises(StateError):
            Waiting(LabelSettings(waiting=2)).restore({**state, "halves": halves})


def stream(seed: int = 1, count: int = 3000) -> list[Entry]:
    """Halves, labels some messages late; the model becomes worse in the middle."""
    rng = np.random.default_rng(seed)
    halves: list[tuple[float, int, dict[str, Any]]] = []
    for number in range(count):
        sure = float(rng.uniform(0.7, 1.0))
        is_right = rng.random() < (sure if number < count // 2 else sure - 0.3)
        halves.append((number, number, {"prediction": "a", "confidence": sure, "model": "m"}))
        late = number + 20 * float(rng.random())
        halves.append((late, number, {"label": "a" if is_right else "b"}))
    halves.sort(key=lambda half: half[0])
    return [entry(n, about, **said) for n, (_, about, said) in enumerate(halves)]


def told(topology: Topology, entries: Sequence[Entry], sizes: Sequence[int]) -> tuple[Any, bytes]:
    """What was emitted, and the state, when the state is packed between batches."""
    handler = Drift(topology, topology.workers["quality"], "quality", Lane())  # type: ignore[arg-type]
    found, at = [], 0
    for size in [*sizes, len(entries)]:
        found += handler.handle(entries[at : at + size]) if at < len(entries) else []
        at += size
        again = Drift(topology, topology.workers["quality"], "quality", Lane())  # type: ignore[arg-type]
        again.restore(handler.state())
        assert again.state() == handler.state()
        handler = again
    return [each.outputs for each in found], handler.state()


def events(topology: Topology, entries: Sequence[Entry]) -> list[DriftEvent]:
    outputs, _ = told(topology, entries, [])
    return [DriftEvent.model_validate_json(each.fields[1]) for some in outputs for each in some]


def test_a_model_that_gets_worse_is_told_of_as_concept_drift(topology: Topology) -> None:
    found = {(event.field, event.detector): event for event in events(topology, stream())}
    assert {("error", "bernoulli"), ("error", "accuracy_drop"), ("confidence", "calibration")} <= (
        found.keys()
    )
    kinds = {event.field: event.drift for event in found.values()}
    assert kinds == {"error": "concept", "confidence": "concept", "label": "categorical"}
    of_model = {event.key for event in found.values() if event.drift == "concept"}
    assert of_model == {"m"}
    error = found["error", "bernoulli"]
    assert error.e_value is not None
    assert error.began_ago is not None
    assert error.since is not None
    assert 3500 < int(error.since.partition("/")[2].partition("-")[0]) <= int(error.at_ms)
    sure = found["confidence", "calibration"]
    assert sure.statistic == "expected_calibration_error"
    assert sure.value > sure.threshold
    assert "expected calibration error" in sure.explanation
    assert 0.1 < sure.effect < 0.2  # the rise of that error, the window being half full of it
    assert (sure.size, sure.severity) == ("large", "high")


def test_a_model_that_stays_as_good_is_not_told_of(topology: Topology) -> None:
    assert events(topology, stream(count=6000)[:6000]) == []


@settings(max_examples=6, deadline=None)
@given(sizes=st.lists(st.integers(1, 900), max_size=8))
def test_any_split_gives_the_same_events_and_state(sizes: list[int]) -> None:
    topology = Topology.model_validate(TREE)
    assert told(topology, STREAM, sizes) == told(topology, STREAM, [])


STREAM = stream(count=1500)


def test_the_calibration_error_and_its_bound_are_metrics(topology: Topology) -> None:
    handler = Drift(topology, topology.workers["quality"], "quality", Lane())  # type: ignore[arg-type]
    metrics = Metrics("quality", "drift", 0.0, handler=handler)
    entries = stream(count=4400)
    read = metrics.registry.get_sample_value
    labels = {"worker": "quality", "kind": "drift", "lane": "0", "stream": "LABELS"}
    for at in range(0, len(entries), 400):
        metrics.batch(handler.handle(entries[at : at + 400]), 0.1, 0.1)
        if at == 1600:  # not yet a baseline and a window
            assert read("penstock_calibration_error", labels) is None
        if at == 4000:
            before = read("penstock_calibration_error", labels)
            bound = read("penstock_calibration_error_bound", labels)
    assert before is not None
    assert bound is not None
    assert 0.0 < before < bound < 0.2
    after = read("penstock_calibration_error", labels)
    assert after is not None
    assert after > before


def test_what_was_forgotten_is_counted(topology: Topology) -> None:
    handler = Drift(topology, topology.workers["quality"], "quality", Lane())  # type: ignore[arg-type]
    handler.handle([entry(n, n, prediction="a") for n in range(600)])
    assert handler.counts() == {
        "LABELS": {
            "keys_evicted": 0,
            "labels_evicted": 100,
            "labels_corrected": 0,
            "texts_left_out": 1,
        }
    }


def test_a_table_of_halves_comes_back_the_same() -> None:
    waiting = Waiting(LabelSettings())
    long = "x" * 500
    joined([entry(0, 1, prediction=True), entry(1, 2, label=2.5), entry(2, 3, label=long)], waiting)
    again = Waiting(LabelSettings())
    again.restore(unpack(pack(waiting.state())))
    assert again.state() == waiting.state()
    closing = [entry(3, 1, label=True), entry(4, 2, prediction=2.5), entry(5, 3, prediction=long)]
    assert [pair.error for pair in joined(closing, again)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("value", [True, 3, 2.5, "rain"])
def test_a_label_may_be_a_truth_a_number_or_a_name(value: Any) -> None:
    said = entry(0, 7, prediction=value, label=value, confidence=0.5).fields[1]
    label = Label.model_validate_json(said)
    assert (label.prediction, label.label) == (value, value)
    assert type(label.label) is type(value)
