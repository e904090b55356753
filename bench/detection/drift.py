"""Drift detectors on seeded streams: ``python -m bench.detection.drift``.

Ours, River's and the naive tests on the same streams in the same run: how often they report a
change where there is none, how many changes they find, and how late. Ours take batches of 500
values, the others single ones. Exits with 2 when the benchmark is not there.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.detection.drift_streams import KINDS, Benchmark, MissingBenchmark, Stream
from bench.detection.drift_tally import Run, tally
from detectors.drift.catalog import detectors_for
from detectors.drift.contract import Input
from schemas.drift_settings import DriftSettings

DEFAULT = "../shared/detection"
BATCH = 500

_OFF: dict[str, Any] = {"conformal": None, "bernoulli": None, "categories": None, "presence": None}
_DATA = ("conformal", "adwin", "ks", "psi", "jensen_shannon", "drift_score", "z_test")
_OURS: dict[str, tuple[str, ...]] = {
    "data": (*_DATA, "kswin", "page_hinkley"),
    "prediction": _DATA,
    "concept": (
        *("bernoulli", "accuracy_drop", "adwin_errors", "ddm", "eddm"),
        *("hddm_a", "hddm_w", "fhddm"),
    ),
}
_CLASSIC = {
    "data": ("ks", "psi", "jensen_shannon", "drift_score"),
    "prediction": ("ks", "psi", "jensen_shannon", "drift_score"),
    "concept": ("accuracy_drop",),
}


def drift_rows(benchmark: Path, seeds: int, half: str = "dev") -> dict[str, dict[str, Any]]:
    """Return, for data, prediction and concept, a row of figures for each detector by name.

    Raises :class:`MissingBenchmark` when there is none in ``benchmark``.
    """
    made = Benchmark(benchmark, half)
    rows: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        streams = made.streams(kind, seeds)
        rows[kind] = {
            name: tally(run, streams, made.window) for name, run in _runs(made, kind).items()
        }
    return rows


def _runs(benchmark: Benchmark, kind: str) -> dict[str, Run]:
    runs = {name: _ours({name: {}}, kind, name) for name in _OURS[kind]}
    for name in _CLASSIC[kind]:
        runs[f"{name} (classic)"] = _ours({"profile": "classic"}, kind, name)
    others = {name: _other(make) for name, make in benchmark.others(kind).items()}
    return runs | {f"other: {name}": run for name, run in others.items()}


def _ours(chosen: dict[str, Any], kind: str, name: str) -> Run:
    settings = DriftSettings.model_validate(chosen if "profile" in chosen else _OFF | chosen)

    def run(stream: Stream) -> list[int]:
        takes: Input = "errors" if kind == "concept" else "values"
        detector = detectors_for(settings, takes)[name]
        found = []
        for begin in range(0, len(stream.values), BATCH):
            part = stream.values[begin : begin + BATCH]
            found += [begin + each.row for each in detector.update(part)]
        return found

    return run


def _other(make: Callable[[], Any]) -> Run:
    def run(stream: Stream) -> list[int]:
        detector = make()
        return [row for row, value in enumerate(stream.values.tolist()) if detector.update(value)]

    return run


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the rows as text, one detector a line."""
    lines = []
    for kind, by_name in rows.items():
        lines.append(f"\n{kind}: false alarms per 10,000 | detected | F1 | median delay | values/s")
        for name, row in by_name.items():
            alarms = " ".join(f"{g} {n:.2f}" for g, n in row["false_alarms_per_10k"].items())
            delay = "-" if row["median_delay"] is None else f"{row['median_delay']:.0f}"
            lines.append(
                f"  {name:34s} {alarms:40s} | {row['detected']:6.1%} | {row['f1']:.3f}"
                f" | {delay:>5s} | {row['values_per_s']:>9,d}"
            )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 0, or 2 when the benchmark is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection.drift")
    where = os.environ.get("PENSTOCK_DETECTION_BENCHMARK", DEFAULT)
    parser.add_argument("--benchmark", type=Path, default=Path(where), metavar="DIR")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--half", default="dev")
    given = parser.parse_args(arguments)
    try:
        rows = drift_rows(given.benchmark, given.seeds, given.half)
    except MissingBenchmark as missing:
        print(missing, file=sys.stderr)
        return 2
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
