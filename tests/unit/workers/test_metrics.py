"""What a worker's page says of entries, ages, events and checkpoints."""

import pytest

from streams.entry import Entry, Output, Settled
from workers.metrics import Metrics

LABELS = {"worker": "w", "lane": "0"}


def entry(at_ms: int, stream: str = "IN") -> Entry:
    return Entry(stream, f"{at_ms}-0", [b"data", b"{}"])


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    kind = metrics._labels["kind"]
    return metrics.registry.get_sample_value(name, {**LABELS, "kind": kind, **labels})


def test_each_entry_counts_with_its_own_age_and_under_its_own_stream() -> None:
    metrics = Metrics("w", "gate", 0.0)
    entries = [entry(9_000), entry(9_900), entry(9_960), entry(9_999, "OTHER")]
    metrics.batch([Settled(each) for each in entries], 0.1, 10.0)
    for most, number in (("0.05", 1), ("0.1", 2), ("0.5", 2), ("1.0", 3), ("+Inf", 3)):
        found = value(metrics, "penstock_entry_age_seconds_bucket", stream="IN", le=most)
        assert found == number, most
    assert value(metrics, "penstock_entry_age_seconds_sum", stream="IN") == pytest.approx(1.14)
    assert value(metrics, "penstock_entry_age_seconds_count", stream="OTHER") == 1


def test_an_entry_from_the_future_has_no_age() -> None:
    metrics = Metrics("w", "gate", 0.0)
    metrics.batch([Settled(entry(11_000))], 0.1, 10.0)
    assert value(metrics, "penstock_entry_age_seconds_sum", stream="IN") == 0.0


def test_what_a_rule_waits_for_begins_at_zero() -> None:
    gate, drift = Metrics("w", "gate", 0.0), Metrics("w", "drift", 0.0)
    for metrics in (gate, drift):
        metrics.expect(["IN"])
        for outcome in ("accepted", "dead"):
            assert value(metrics, "penstock_entries_total", stream="IN", outcome=outcome) == 0
        assert value(metrics, "penstock_entry_age_seconds_count", stream="IN") == 0
        for problem in ("refused", "skipped"):
            assert value(metrics, "penstock_checkpoint_problems_total", problem=problem) == 0
    of_events = {"stream": "IN", "severity": "critical"}
    assert value(drift, "penstock_events_total", **of_events) == 0
    assert value(gate, "penstock_events_total", **of_events) is None
    assert value(gate, "penstock_entries_total", stream="IN", outcome="rejected") == 0
    assert value(drift, "penstock_entries_total", stream="IN", outcome="rejected") is None


def test_events_count_by_severity_and_other_outputs_do_not() -> None:
    metrics = Metrics("w", "anomaly", 0.0)
    event = Output("EVENTS", [], {"finding": {"kind": "anomaly", "severity": "critical"}})
    other = Output("EVENTS", [], {"schema_name": "x"})
    metrics.batch([Settled(entry(1), outputs=[event, other, Output("EVENTS", [])])], 0.1, 1.0)
    assert value(metrics, "penstock_events_total", stream="IN", severity="critical") == 1


def test_a_burial_counts_although_its_handling_was_not_timed() -> None:
    metrics = Metrics("w", "gate", 0.0)
    metrics.batch([Settled(entry(1), "dead")], None, 1.0)
    assert value(metrics, "penstock_entries_total", stream="IN", outcome="dead") == 1
    assert value(metrics, "penstock_batch_seconds_count") == 0


def test_problems_with_checkpoints_are_counted() -> None:
    metrics = Metrics("w", "drift", 0.0)
    metrics.checkpoint("refused")
    assert value(metrics, "penstock_checkpoint_problems_total", problem="refused") == 1
