"""The bars that our detectors must reach, held against a run's figures."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from bench.detection import drift, nab, shuttle
from bench.detection.drift import said
from bench.detection.noise import NONE_SEEN

SHARE = (0.008, 0.012)
"""Between which a flagged share must lie that was told to be 1 %."""

_SHARE_VALUES = 59_750  # scores of a stream after the warm-up
_FLAGGED = {
    "ours": ("{} streams", "adaptive threshold"),
    "watched": ("the rows of {} streams", "the worker's whole watch"),
}
_DRIFT_RATE = 200_000
_FIXED = "no chance in it"
PROFILES = {
    "standard": "standard",
    "reward_low_FP_rate": "few false positives",
    "reward_low_FN_rate": "few false negatives",
}
"""NAB's profiles in words."""


class Bar(NamedTuple):
    """One line: what was measured of which detector, what it has to be, and what it was.

    ``noise``: how far the value is certain. ``beside``: the same of River's and the naive ways.
    """

    what: str
    of: str
    bar: str
    value: str
    noise: str
    beside: str
    is_met: bool


def bars(results: Mapping[str, Any]) -> Iterator[Bar]:
    """Yield a line for each bar about a part that the run has."""
    made: dict[str, Callable[[Any], Iterator[Bar]]] = {
        "nab": _nab,
        "drift": _drift,
        "shares": _shares,
        "shuttle": _shuttle,
    }
    for part, lines in made.items():
        if part in results:
            yield from lines(results[part])


def table(lines: list[Bar]) -> str:
    """Return the lines as text."""
    rows = [("", "detector", "bar", "value", "noise", "beside", "")]
    rows += [(*line[:-1], "met" if line.is_met else "MISSED") for line in lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _nab(rows: list[dict[str, Any]]) -> Iterator[Bar]:
    by_name = {row["detector"]: row for row in rows}
    ours = by_name["novelty"]
    for profile, bar in nab.BARS.items():
        score = ours["scores"][profile]["mean"]
        beside = {
            name: said(by_name[row]["scores"][profile], 1) for name, row in nab.RIVALS.items()
        }
        noise = f"± {ours['files'][profile]:.1f} by the choice of files; {_FIXED}"
        yield Bar(
            f"NAB, {PROFILES[profile]}", "novelty", f"≥ {bar:.0f}", f"{score:.1f}", noise,
            _beside(beside), score >= bar,
        )  # fmt: skip
    rates = {name: _rate(by_name[row]["values_per_s"]) for name, row in nab.RIVALS.items()}
    rate = ours["values_per_s"]
    yield _rate_bar("novelty", rate, nab.RATE_BAR, f"{nab.RUNS} runs", rates)


def _drift(rows: dict[str, dict[str, Any]]) -> Iterator[Bar]:
    data, prediction, concept = rows["data"], rows["prediction"], rows["concept"]
    yield _alarms("data", data, "iid", 0.02)
    yield _alarms("data", data, "dependent", 0.15)
    yield _at_least("data", data, "detected", 0.98)
    yield _at_least("data", data, "f1", 0.98)
    yield _delay(data, 230.0)
    rates = {name: _rate(data[row]["values_per_s"]) for name, row in drift.RIVALS["data"].items()}
    seeds = f"{data['conformal']['seeds']} seeds"
    yield _rate_bar("conformal", data["conformal"]["values_per_s"], _DRIFT_RATE, seeds, rates)
    yield _at_least("prediction", prediction, "f1", 0.93)
    yield _alarms("prediction", prediction, "iid", 0.0)
    yield _at_least("concept", concept, "f1", 0.9)
    yield _alarms("concept", rows["coins"], "iid", 0.02)


def _alarms(kind: str, rows: dict[str, Any], group: str, bar: float) -> Bar:
    ours = drift.OURS[kind]
    found = rows[ours]["false_alarms_per_10k"][group]
    beside = {
        name: said(rows[row]["false_alarms_per_10k"][group], 2)
        for name, row in drift.RIVALS[kind].items()
    }
    noise = f"± {found.get('standard_error', 0.0):.3f}, {rows[ours]['seeds']} seeds"
    if not found["alarms"]:
        bound = 1e4 * NONE_SEEN / found["values"]
        noise = f"none in {found['values']:,}: < {bound:.3f} with 95 % confidence"
    named = {"iid": "independent", "dependent": "dependent"}[group]
    return Bar(
        f"{kind} drift, false alarms per 10,000 {named} values", ours,
        f"≤ {bar:g}" if bar else "none", f"{found['mean']:.3f}", noise,
        _beside(beside), found["mean"] <= bar,
    )  # fmt: skip


def _at_least(kind: str, rows: dict[str, Any], figure: str, bar: float) -> Bar:
    ours = drift.OURS[kind]
    found, n = rows[ours][figure], rows[ours]["changes"]
    beside = {name: said(rows[row][figure], 3) for name, row in drift.RIVALS[kind].items()}
    noise = f"± {found.get('standard_error', 0.0):.4f}, {rows[ours]['seeds']} seeds, {n} changes"
    what = {"detected": "share detected", "f1": "F1"}[figure]
    return Bar(
        f"{kind} drift, {what}", ours, f"≥ {bar:g}", f"{found['mean']:.4f}", noise,
        _beside(beside), found["mean"] >= bar,
    )  # fmt: skip


def _delay(rows: dict[str, Any], bar: float) -> Bar:
    found, seeds = rows["conformal"]["median_delay"], rows["conformal"]["seeds"]
    beside = {
        name: said(rows[row]["median_delay"], 0) for name, row in drift.RIVALS["data"].items()
    }
    return Bar(
        "data drift, median delay in values", "conformal", f"≤ {bar:.0f}", f"{found['mean']:.0f}",
        f"± {found.get('standard_error', 0.0):.1f}, {seeds} seeds", _beside(beside),
        found["mean"] <= bar,
    )  # fmt: skip


def _shares(part: dict[str, Any]) -> Iterator[Bar]:
    rows = part["rows"]
    noise = 100.0 * (0.01 * 0.99 / _SHARE_VALUES) ** 0.5
    beside = {
        "fixed after the warm-up": _span(rows, "fixed"),
        "the watch, five fields a row": _span(rows, "watched_together"),
    }
    for figure, (what, of) in _FLAGGED.items():
        shares = [row[figure] for row in rows]
        yield Bar(
            f"share flagged of {what.format(len(rows))}, told 1 %", of,
            f"{100.0 * SHARE[0]:g} to {100.0 * SHARE[1]:g} %", _span(rows, figure),
            f"± {noise:.2f} of each, if independent", _beside(beside),
            SHARE[0] <= min(shares) and max(shares) <= SHARE[1],
        )  # fmt: skip


def _span(rows: list[dict[str, Any]], figure: str) -> str:
    shares = [100.0 * row[figure] for row in rows]
    return f"{min(shares):.2f} to {max(shares):.2f} %"


def _shuttle(rows: list[dict[str, Any]]) -> Iterator[Bar]:
    by_name = {row["detector"]: row for row in rows}
    ours = by_name["robust_mahalanobis"]
    beside = {name: said(by_name[row]["auc"], 4) for name, row in shuttle.RIVALS.items()}
    yield Bar(
        "ROC AUC on Shuttle", "robust_mahalanobis", f"≥ {shuttle.BAR}",
        f"{ours['auc']['mean']:.4f}", f"± {ours['rows']:.4f} by the choice of rows; {_FIXED}",
        _beside(beside), ours["auc"]["mean"] >= shuttle.BAR,
    )  # fmt: skip


def _rate_bar(
    of: str, rate: dict[str, float], bar: float, runs: str, rivals: dict[str, str]
) -> Bar:
    noise = f"± {rate.get('standard_error', 0.0):,.0f}, {runs}"
    return Bar(
        "values a second", of, f"≥ {bar:,.0f}", f"{rate['mean']:,.0f}", noise,
        _beside(rivals), rate["mean"] >= bar,
    )  # fmt: skip


def _rate(figure: dict[str, float]) -> str:
    return f"{figure['mean']:,.0f}"


def _beside(figures: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {figure}" for name, figure in figures.items())
