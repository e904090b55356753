"""What the dashboards show: a title, a unit, and lines of PromQL with their legends.

Several supervisors, or every worker process where none runs, may tell of the same stream or worker,
hence ``max by`` for gauges.
"""

from typing import NamedTuple

RANGE = "[$__rate_interval]"


class Panel(NamedTuple):
    """One panel: ``lines`` are pairs of an expression and what its lines are called."""

    title: str
    unit: str
    lines: list[tuple[str, str]]
    description: str = ""


def rate(metric: str, by: str, where: str = "") -> tuple[str, str]:
    """A counter's rate by labels, called by their values."""
    legend = " ".join("{{" + label + "}}" for label in by.split(", "))
    return f"sum by ({by}) (rate({metric}{where}{RANGE}))", legend


def level(metric: str, by: str, where: str = "") -> tuple[str, str]:
    """A gauge by labels, called by their values."""
    legend = " ".join("{{" + label + "}}" for label in by.split(", "))
    return f"max by ({by}) ({metric}{where})", legend


def p99(metric: str, by: str, where: str = "") -> tuple[str, str]:
    """The 99th percentile of a histogram by labels."""
    inner, legend = rate(f"{metric}_bucket", f"{by}, le", where)
    return f"histogram_quantile(0.99, {inner})", legend.removesuffix(" {{le}}")


PIPELINE = [
    Panel("Entries settled", "cps", [rate("penstock_entries_total", "worker")]),
    Panel("Entries emitted", "cps", [rate("penstock_outputs_total", "stream")]),
    Panel("Entries waiting", "short", [level("penstock_group_lag_entries", "stream, worker")]),
    Panel("In hand", "short", [level("penstock_group_pending_entries", "stream, worker")]),
    Panel("Length of streams", "short", [level("penstock_stream_length", "stream")]),
    Panel(
        "Full, and groups of strangers", "short",
        [
            (level("penstock_stream_full", "stream")[0], "{{stream}} full"),
            (level("penstock_stream_stranger_groups", "stream")[0], "{{stream}} strangers"),
        ],
    ),
    Panel("Workers up", "short", [level("penstock_worker_up", "worker, lane")]),
    Panel("Restarts", "cps", [
        rate("penstock_supervisor_restarts_total", "worker"),
        rate("penstock_worker_restarts_total", "worker"),  # where no supervisor runs
    ]),
    Panel("One batch, p99", "s", [p99("penstock_batch_seconds", "worker")]),
    Panel("Memory", "bytes", [level("penstock_resident_memory_bytes", "worker, replica")]),
    Panel(
        "Failures, doubles, taken by others", "cps",
        [
            (rate("penstock_failures_total", "worker")[0], "{{worker}} failures"),
            (rate("penstock_duplicates_total", "worker")[0], "{{worker}} duplicates"),
            (rate("penstock_settled_elsewhere_total", "worker")[0], "{{worker}} elsewhere"),
        ],
    ),
    Panel("Trimmed", "cps", [rate("penstock_trimmed_total", "stream")]),
]  # fmt: skip

DETECTION = [
    Panel("Events by severity", "cps", [rate("penstock_events_total", "kind, severity")]),
    Panel("Events by stream", "cps", [rate("penstock_events_total", "kind, stream")]),
    Panel(
        "Share of messages with an anomaly", "percentunit",
        [(
            f'sum by (stream) (rate(penstock_events_total{{kind="anomaly"}}{RANGE})) / '
            f'sum by (stream) (rate(penstock_entries_total{{kind=~"anomaly|detect"}}{RANGE}))',
            "{{stream}}",
        )],
    ),
    Panel(
        "Calibration error and its bound", "short",
        [
            (level("penstock_calibration_error", "worker, stream")[0], "{{stream}} error"),
            (level("penstock_calibration_error_bound", "worker, stream")[0], "{{stream}} bound"),
        ],
    ),
    Panel("Age at judgement, p99", "s", [
        p99("penstock_entry_age_seconds", "worker, stream", '{kind=~"anomaly|drift"}')
    ]),
    Panel("Checkpoint problems", "cps", [
        rate("penstock_checkpoint_problems_total", "worker, problem")
    ]),
    Panel("Keys forgotten", "cps", [rate("penstock_keys_evicted_total", "worker, stream")]),
    Panel("Labels forgotten and corrected", "cps", [
        (rate("penstock_labels_evicted_total", "stream")[0], "{{stream}} forgotten"),
        (rate("penstock_labels_corrected_total", "stream")[0], "{{stream}} corrected"),
    ]),
]  # fmt: skip

QUARANTINE = [
    Panel("Rejected", "cps", [
        rate("penstock_entries_total", "stream", '{outcome="rejected"}')
    ]),
    Panel(
        "Share rejected", "percentunit",
        [(
            f'sum by (stream) (rate(penstock_entries_total{{outcome="rejected"}}{RANGE})) / '
            f'sum by (stream) (rate(penstock_entries_total{{kind="gate"}}{RANGE}))',
            "{{stream}}",
        )],
    ),
    Panel("Dead letters in the range shown", "short", [
        ('sum by (worker, stream) (increase(penstock_entries_total{outcome="dead"}[$__range]))',
         "{{worker}} {{stream}}"),
    ]),
    Panel("Attempts that raised", "cps", [rate("penstock_failures_total", "worker, stream")]),
]  # fmt: skip

LINEAGE = [
    Panel("Records written", "cps", [
        rate("penstock_entries_total", "worker", '{kind="lineage"}')
    ]),
    Panel("Age of records when written, p99", "s", [
        p99("penstock_entry_age_seconds", "worker", '{kind="lineage"}')
    ]),
    Panel("Takes records", "short", [
        level("penstock_ready", "worker, lane", '{kind="lineage"}')
    ], "0 while the store is away."),
    Panel("One batch, p99", "s", [
        p99("penstock_batch_seconds", "worker", '{kind="lineage"}')
    ]),
    Panel("Since the last commit", "s", [(
        "time() - max by (worker, lane) "
        '(penstock_last_commit_timestamp_seconds{kind="lineage"})',
        "{{worker}} {{lane}}",
    )]),
    Panel("Commits", "cps", [rate("penstock_commits_total", "worker", '{kind="lineage"}')]),
]  # fmt: skip

SLA = [
    Panel("Latency, p99", "s", [("penstock:layer_latency_seconds:p99", "layer {{layer}}")]),
    Panel(
        "Latency as a part of what is promised", "percentunit",
        [(
            "penstock:layer_latency_seconds:p99 / on (layer) "
            "penstock:layer_latency_target_seconds",
            "layer {{layer}}",
        )],
        "Above 100 % the promise is broken.",
    ),
    Panel("Layers up", "short", [("penstock:layer_up", "layer {{layer}}")]),
    Panel("Availability of the last minute", "percentunit", [
        ("penstock:layer_availability:ratio_1m", "layer {{layer}}")
    ]),
    Panel("Availability of 30 days", "percentunit", [
        ("penstock:layer_availability:ratio_30d", "layer {{layer}}"),
        ("penstock:layer_availability_target", "layer {{layer}} promised"),
    ]),
    Panel("Alerts that fire", "short", [(
        'sum by (alertname, severity) (ALERTS{alertname=~"Penstock.*",alertstate="firing"})',
        "{{alertname}} {{severity}}",
    )]),
]  # fmt: skip

BOARDS = {
    "pipeline": PIPELINE,
    "detection": DETECTION,
    "quarantine": QUARANTINE,
    "lineage": LINEAGE,
    "sla": SLA,
}
