"""The figures of the last run of ``python -m bench.detection``, as Markdown."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from bench.detection import bars, drift, nab, shuttle
from bench.detection.drift import said

RESULTS = Path(__file__).parents[1] / "results" / "detection.json"
HEADS = {
    "anomaly": "NAB, standard; ROC AUC on Shuttle",
    "drift": "F1; false alarms per 10,000 independent values",
}
"""What the figures in a line of the index are."""

_GROUPS = {
    "iid": "independent values",
    "AR": "autocorrelated",
    "seasonal": "seasonal",
    "dependent": "dependent",
    "learner": "errors of learners",
}
_PARTS = ("data", "prediction", "concept")
_DRIFT_HEADS = ("", "seeds", "share detected", "F1", "median delay", "values/s")
_MEANING = """\
`python -m bench.detection` (`make bench-detect`) runs ours, River's and the naive ways on the same
data in the same run, writes `bench/results/detection.json`, and ends with exit code 1 when a bar is
missed. Where there is chance in a figure it is the mean over seeds ± its standard error; where
there is none, ± tells how far it would move had the files or rows been others. Rates are for each
second of processor time on one core.

- *NAB*: 29 files of the Numenta Anomaly Benchmark, one fixed setting for all, scored at the one
  threshold that suits a detector best; 0 is what it gets where flagging nothing would be best.
- *Shuttle*: the 49,097 rows in the order of the file, scored, then learnt.
- *Drift*: seeded streams with known changes. An alarm within 1,000 values of a change (gradual
  ones: 2,000) finds it; any other is false. Dependent values are autocorrelated or seasonal.
"""


def of(kind: str, group: str) -> str:
    """Return what was measured of one detector, with others beside."""
    tables = list(_anomaly_tables(kind) if group == "anomaly" else _drift_tables(kind))
    return "\n".join(
        [*tables, "Means over seeds ± standard errors; see [how](../../detectors.md)."]
    )


def brief_of(kind: str, group: str) -> str:
    """Return the main figures of one detector in a few words."""
    return "; ".join(_brief_anomaly(kind) if group == "anomaly" else _brief_drift(kind))


def bars_page() -> str:
    """Return the bars and what they came to."""
    lines = list(bars.bars(results()))
    heads = ("", "detector", "bar", "value", "noise", "beside", "met")
    rows = [(*line[:-1], "yes" if line.is_met else "**no**") for line in lines]
    return f"## The bars\n\n{_MEANING}\n{_table(heads, rows, numbers=False)}"


@lru_cache
def results() -> dict[str, Any]:
    """Return the last run's results."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def _brief_anomaly(kind: str) -> Iterator[str]:
    nab_row, shuttle_row = _row("nab", kind), _row("shuttle", kind)
    yield said(nab_row["scores"]["standard"], 1) if nab_row else "–"
    yield said(shuttle_row["auc"], 3) if shuttle_row else "–"


def _brief_drift(kind: str) -> Iterator[str]:
    for part in _PARTS:
        row = results()["drift"][part].get(kind)
        if row:
            alarms = said(row["false_alarms_per_10k"]["iid"], 2)
            yield f"{part} {said(row['f1'], 3)}; {alarms}"


def _row(part: str, kind: str) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = results()[part]
    return next((row for row in rows if row["detector"] == kind), None)


def _anomaly_tables(kind: str) -> Iterator[str]:
    if _row("nab", kind):
        heads = ("NAB", *bars.PROFILES.values(), "by the choice of files", "values/s")
        rows = []
        for name, row in _beside("nab", kind, nab.RIVALS):
            scores = [said(row["scores"][profile], 1) for profile in nab.BARS]
            noise = f"± {row['files']['standard']:.1f}"
            rows.append((name, *scores, noise, said(row["values_per_s"], 0)))
        yield _table(heads, rows)
    if _row("shuttle", kind):
        heads = ("Shuttle", "ROC AUC", "by the choice of rows", "rows/s")
        yield _table(
            heads,
            [
                (name, said(row["auc"], 4), f"± {row['rows']:.4f}", said(row["rows_per_s"], 0))
                for name, row in _beside("shuttle", kind, shuttle.RIVALS)
            ],
        )


def _beside(part: str, kind: str, rivals: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, detector in {f"`{kind}`": kind, **rivals}.items():
        row = _row(part, detector)
        if row:
            yield name, row


def _drift_tables(kind: str) -> Iterator[str]:
    for part in _PARTS:
        rows = results()["drift"][part]
        if kind not in rows:
            continue
        groups = list(rows[kind]["false_alarms_per_10k"])
        named = {f"`{kind}`": kind, f"`{kind}`, classic": f"{kind} (classic)"} | drift.RIVALS[part]
        lines = [
            (
                name, str(row["seeds"]), said(row["detected"], 3), said(row["f1"], 3),
                said(row["median_delay"], 0), said(row["values_per_s"], 0),
                *(said(row["false_alarms_per_10k"][group], 2) for group in groups),
            )
            for name, row in ((name, rows.get(of)) for name, of in named.items())
            if row
        ]  # fmt: skip
        alarms = (f"false alarms per 10,000 {_GROUPS[group]}" for group in groups)
        yield _table((f"{part} drift", *_DRIFT_HEADS[1:], *alarms), lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> str:
    rules = ("---", *("---:" if numbers else "---" for _ in heads[1:]))
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, rules, *rows)) + "\n"
