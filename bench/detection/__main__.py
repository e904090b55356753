"""Every measurement of detection in one run: ``python -m bench.detection``.

Prints the figures of our detectors with River's and the naive ways beside them, then the bars,
and writes the same as JSON. Where there is chance in a figure it is the mean over seeds, with its
standard error. Rates are values or rows for each second of processor time, so the ratios hold
although the machine is shared; absolute figures do not. Exit codes: 0 done, 1 a bar is missed,
2 the benchmark is not there.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.detection import bars, nab, shuttle
from bench.detection.shares import shares

PARTS = ("nab", "shuttle", "shares", "drift")
RESULTS = Path("bench/results/detection.json")
_NEEDS_BENCHMARK = frozenset(("nab", "drift"))


def nab_part(benchmark: Path, seeds: int | None) -> Any:
    """NAB scores by profile, and rates."""
    print(f"\nNAB: {' / '.join(nab.BARS)}, values/s")
    rows = []
    for row in nab.nab_rows(benchmark):
        scores = " / ".join(f"{row.scores[profile]['mean']:5.1f}" for profile in nab.BARS)
        print(f"  {row.detector:42} {scores} {row.values_per_s['mean']:12,.0f}", flush=True)
        rows.append(row._asdict())
    return rows


def shuttle_part(benchmark: Path, seeds: int | None) -> Any:
    """The area under the ROC curve on River's Shuttle, and rates."""
    print("\nShuttle: ROC AUC, rows/s")
    rows = []
    for row in shuttle.shuttle_rows():
        rate = row.rows_per_s["mean"]
        print(f"  {row.detector:42} {row.auc['mean']:.4f} {rate:12,.0f}", flush=True)
        rows.append(row._asdict())
    return rows


def shares_part(benchmark: Path, seeds: int | None) -> Any:
    """The flagged share of twenty streams."""
    low, high = bars.SHARE
    print("\nFlagged share, told 1 %: the threshold, the watch of one field, of five; fixed")
    rows = list(shares())
    for row in rows:
        told = (row.ours, row.watched, row.watched_together, row.fixed)
        print(f"  {row.stream:42} {' '.join(f'{share:6.2%}' for share in told)}")
    kept = sum(low <= row.ours <= high and low <= row.watched <= high for row in rows)
    print(f"  kept by {kept} of {len(rows)}", flush=True)
    return {"kept": kept, "rows": [row._asdict() for row in rows]}


def drift_part(benchmark: Path, seeds: int | None) -> Any:
    """Changes found and false alarms of the drift detectors."""
    from bench.detection import drift

    rows = drift.drift_rows(benchmark, seeds)
    print(f"\n{drift.table(rows)}", flush=True)
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write; return the exit code."""
    options = _parser().parse_args(arguments)
    chosen = options.only or PARTS
    missing = options.benchmark / "nab_score.py"
    if _NEEDS_BENCHMARK & set(chosen) and not missing.is_file():
        print(
            f"the benchmark is not there: {missing} does not exist; say where it is with "
            "--benchmark DIR, or choose the parts that need none with --only shuttle shares",
            file=sys.stderr,
        )
        return 2
    measure: dict[str, Callable[[Path, int | None], Any]] = {
        "nab": nab_part,
        "shuttle": shuttle_part,
        "shares": shares_part,
        "drift": drift_part,
    }
    results = {part: measure[part](options.benchmark, options.seeds) for part in chosen}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    lines = list(bars.bars(results))
    print(f"\n{bars.table(lines)}\n\nwritten to {options.out}")
    return 0 if all(line.is_met for line in lines) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.detection", description=__doc__)
    parser.add_argument(
        "--benchmark",
        type=Path,
        default=Path("../shared/detection"),
        metavar="DIR",
        help="where nab/, nab_score.py and drift_bench.py lie (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--seeds", type=int, help="draws of every drifting stream, for a quick run")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="parts to measure; all if absent")
    return parser


if __name__ == "__main__":
    sys.exit(main())
