"""Drift detectors on seeded streams: ``python -m bench.detection.drift``.

Ours, River's and the naive tests on the same streams in the same run: how often they report a
change where there is none, how many changes they find, and how late; means over seeds and their
standard errors. Ours take batches of 500 values, the others single ones. Those that a bar is
about get more seeds. Exits with 2 when the benchmark is not there.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.detection.drift_streams import KINDS, Benchmark, MissingBenchmark, Stream
from bench.detection.drift_tally import Run, tally
from detectors.drift.catalog import detectors_for
from detectors.drift.categories import Categories
from detectors.drift.contract import Input
from schemas.drift_settings import DriftSettings

DEFAULT = "../shared/detection"
BATCH = 500
SEEDS = {"data": 24, "prediction": 24, "concept": 12}
"""Streams of each kind for the detectors that a bar is about."""
REST = 4
"""Streams of each kind for the others."""
_COIN_SEEDS = 48

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
RIVALS = {
    "data": {"River ADWIN": "other: River ADWIN d=.002", "KS p < 0.05": "other: KS p<.05 500/200"},
    "prediction": {
        "JS divergence > 0.10": "other: JS divergence>.10 500/200",
        "JS distance > 0.10": "other: JS distance>.10 500/200",
    },
    "concept": {"River ADWIN": "other: ADWIN d=.002", "River DDM": "other: DDM"},
}
"""Whom the bars name beside ours: what they are called there, and the name of the row."""
OURS = {"data": "conformal", "prediction": "conformal", "concept": "bernoulli"}
"""Whom the bars are for."""


def drift_rows(
    benchmark: Path, seeds: int | None = None, half: str = "dev"
) -> dict[str, dict[str, Any]]:
    """Return, for data, prediction and concept, a row of figures for each detector by name.

    ``seeds``: of each kind, for all detectors; ``SEEDS`` and ``REST`` when None. ``coins`` are
    errors without a change, of which more are needed to see a rare false alarm. Raises
    :class:`MissingBenchmark` when there is none in ``benchmark``.
    """
    made = Benchmark(benchmark, half)
    rows: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        many = made.streams(kind, seeds or SEEDS[kind])
        few = [stream for stream in many if stream.seed < (seeds or REST)]
        named = {OURS[kind], *RIVALS[kind].values()}
        runs = _runs(made, kind)
        rows[kind] = {
            name: tally(run, many if name in named else few, made.window)
            for name, run in runs.items()
        }
        if kind == "concept":
            coins = list(made.coins(seeds or _COIN_SEEDS))
            rows["coins"] = {name: tally(runs[name], coins, made.window) for name in sorted(named)}
    return rows


def _runs(benchmark: Benchmark, kind: str) -> dict[str, Run]:
    runs = {name: _ours({name: {}}, kind, name) for name in _OURS[kind]}
    for name in _CLASSIC[kind]:
        runs[f"{name} (classic)"] = _ours({"profile": "classic"}, kind, name)
    if kind == "data":
        runs["categories"] = _of_codes
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


def _of_codes(stream: Stream) -> list[int]:
    """Categories, of the tenths of the first values' range that a value falls into."""
    edges = np.quantile(stream.values[:BATCH], np.arange(1, 10) / 10)
    codes = np.searchsorted(edges, stream.values).astype(np.float64)
    return [each.row for each in Categories().update(codes)]


def _other(make: Callable[[], Any]) -> Run:
    def run(stream: Stream) -> list[int]:
        detector = make()
        return [row for row, value in enumerate(stream.values.tolist()) if detector.update(value)]

    return run


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the rows as text, one detector a line; means over seeds ± standard errors."""
    lines = []
    for kind, by_name in rows.items():
        lines.append(
            f"\n{kind}: seeds | detected | F1 | median delay | values/s | false alarms per 10,000"
        )
        for name, row in by_name.items():
            alarms = " ".join(
                f"{group} {said(n, 2)}" for group, n in row["false_alarms_per_10k"].items()
            )
            lines.append(
                f"  {name:34s} {row['seeds']:2d} | {said(row['detected'], 3):13s}"
                f" | {said(row['f1'], 3):13s} | {said(row['median_delay'], 0):9s}"
                f" | {row['values_per_s']['mean']:>10,.0f} | {alarms}"
            )
    return "\n".join(lines)


def said(figure: dict[str, float] | None, digits: int) -> str:
    """Return a mean and its standard error as text; a dash where there is none.

    >>> said({"mean": 0.9432, "standard_error": 0.0141}, 3)
    '0.943 ± 0.014'
    """
    if figure is None:
        return "–"
    error = figure.get("standard_error", 0.0)
    return f"{figure['mean']:,.{digits}f}" + (f" ± {error:,.{digits}f}" if error else "")


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 0, or 2 when the benchmark is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection.drift")
    where = os.environ.get("PENSTOCK_DETECTION_BENCHMARK", DEFAULT)
    parser.add_argument("--benchmark", type=Path, default=Path(where), metavar="DIR")
    parser.add_argument("--seeds", type=int, help="of each kind of stream, for all detectors")
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
