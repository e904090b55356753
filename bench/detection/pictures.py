"""Draws every detector on real data: ``python -m bench.detection.pictures``.

Writes docs/images/detectors/<kind>.svg. The same code and the same libraries give the same files.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.detection.catalog import anomaly_detectors, drift_detectors, is_rule, settings_of
from bench.detection.plot import Curve, render
from bench.detection.readings import followed
from bench.detection.real_data import Stretch, stretch_for
from detectors.quantile import AdaptiveQuantile
from detectors.values import Floats

IMAGES = Path("docs/images/detectors")
OPTIONS: dict[str, dict[str, Any]] = {
    "limits": {"limits": {"flow": (60.0, 140.0)}},
    "predictive_anomaly_detection": {"season": 24},
    "novelty": {"step_s": 3600.0},
}
"""The settings that a picture needs; the defaults serve for all others."""

_MOST = 4.0  # times its threshold, at which a score is drawn at the upper edge
_FAR = 0.002  # of the values at either end, which may lie beyond the edge
_WINDOW = 100  # values whose mean is drawn


def pictures() -> dict[str, str]:
    """Return the text of each picture, by the detector's kind."""
    drawn = {each.kind: _anomalies(each) for each in anomaly_detectors()}
    return drawn | {each.kind: _drift(each) for each in drift_detectors()}


def found(detector: Any) -> list[int]:
    """Return the rows of its stretch that a detector flags, with what the picture shows."""
    return (_anomalies_found if hasattr(detector, "score_learn") else _drift_found)(detector)[0]


def family(detector: Any) -> str:
    """Return the family of a detector, by which its data are chosen."""
    if hasattr(detector, "takes"):
        return str(detector.takes)
    return "rule" if is_rule(detector) else "scorer"


def _anomalies(detector: Any) -> str:
    stretch = stretch_for(detector.kind, family(detector))
    rows, scores, threshold = _anomalies_found(detector)
    values = stretch.values[:, stretch.shown]
    what = "score: from 1 on an alarm" if is_rule(detector) else "score, and its adaptive threshold"
    return render(
        f"{detector.kind}: {len(rows)} of {len(values):,} {stretch.axis}s flagged",
        (
            Curve(stretch.of, values, edge=0.0 if is_rule(detector) else _FAR),
            Curve(what, _held(scores, threshold), threshold, "s"),
        ),
        rows,
        stretch.axis,
        [] if stretch.odd is None else np.flatnonzero(stretch.odd).tolist(),
    )


@cache
def _anomalies_found(detector: Any) -> tuple[list[int], Floats, Floats]:
    stretch = stretch_for(detector.kind, family(detector))
    x = stretch.values
    names = ("flow",) if is_rule(detector) else tuple(map(str, range(x.shape[1])))
    settings = settings_of(detector.kind).model_validate(OPTIONS.get(detector.kind, {}))
    scores = detector(names, settings).score_learn(x)
    if is_rule(detector):
        return np.flatnonzero(scores >= 1.0).tolist(), scores, np.ones(len(x))
    judged = AdaptiveQuantile().update(scores)
    threshold = np.where(np.isfinite(judged.threshold), judged.threshold, np.nan)
    return np.flatnonzero(judged.flagged).tolist(), scores, threshold


def _held(scores: Floats, threshold: Floats) -> Floats:
    """Scores within reach of the threshold, so that one far out does not flatten the others."""
    known = threshold[np.isfinite(threshold)]
    edge = _MOST * float(known.max()) if len(known) and known.max() > 0.0 else np.inf
    held: Floats = np.minimum(scores, edge)
    return held


def _drift(detector: Any) -> str:
    stretch = stretch_for(detector.kind, detector.takes)
    rows, ratios = _drift_found(detector)
    n = len(stretch.values)
    means = _running(stretch.values)
    words = f"{stretch.of}, and its mean over the last {_WINDOW}"
    shown = Curve(words, stretch.values, smooth=means, edge=_FAR)
    if detector.takes == "errors":
        shown = Curve(f"{stretch.of} among the last {_WINDOW}", means)
    if ratios is None:
        below = Curve(f"mean of the last {_WINDOW}", means, style="s")
    else:
        bets = detector.kind in ("conformal", "bernoulli")
        what = "log of the evidence over log of its threshold" if bets else "statistic / threshold"
        edge = np.minimum(ratios, _MOST)
        below = Curve(f"{what}: above 1 an alarm", edge, np.ones(n), "s")
    alarms = f"{len(rows)} alarm{'' if len(rows) == 1 else 's'}"
    title = f"{detector.kind}: {alarms} in {n:,} {stretch.axis}s"
    return render(title, (shown, below), rows, stretch.axis, change=stretch.change)


@cache
def _drift_found(detector: Any) -> tuple[list[int], Floats | None]:
    stretch: Stretch = stretch_for(detector.kind, detector.takes)
    seen = followed(detector, settings_of(detector.kind)(), stretch.values)
    if seen is not None:
        return seen
    return [each.row for each in detector().update(stretch.values)], None


def _running(values: Floats) -> Floats:
    sums = np.cumsum(np.concatenate(([0.0], values)))
    means = np.full(len(values), np.nan)
    means[_WINDOW - 1 :] = (sums[_WINDOW:] - sums[:-_WINDOW]) / _WINDOW
    return means


def main() -> int:
    """Write every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for kind, text in pictures().items():
        (IMAGES / f"{kind}.svg").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
