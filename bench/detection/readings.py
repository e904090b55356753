"""How near to an alarm a drift detector is, read from the state that it gives out."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from detectors.drift.contract import Measured
from detectors.drift.reference_window import ReferenceWindow
from detectors.values import Floats

Numbers = dict[str, float]


def followed(detector: Any, settings: Any, x: Floats) -> tuple[list[int], Floats] | None:
    """Feed ``x`` value by value; return the alarms, and the statistic over its threshold.

    The ratio is float64 [n], NaN where there is none yet; above 1 it is an alarm. Of bets it is
    log over log. None for a detector that does not tell its statistic between alarms.
    """
    read = _reader(detector, settings)
    if read is None:
        return None
    made, measure = read
    alarms, ratios, last = [], np.full(len(x), math.nan), math.nan
    for row in range(len(x)):
        found = made.update(x[row : row + 1])
        last = measure(last)
        if found:
            alarms.append(row)
            measured = found[0].measured
            ratios[row] = _ratio(measured, bets=detector.kind in _BETS)
            last = math.nan
        else:
            ratios[row] = last
    return alarms, ratios


def _reader(detector: Any, settings: Any) -> tuple[Any, Callable[[float], float]] | None:
    if issubclass(detector, ReferenceWindow):
        return _overheard(detector)
    made = detector()
    if detector.kind in _BETS:
        return made, lambda last: _won(made.state(), settings.run_length)
    if detector.kind not in _RATIOS:
        return None
    ratio = _RATIOS[detector.kind]

    def read(last: float) -> float:
        learnt = made.state()["learnt"]
        numbers = dict(zip(made.remembers, learnt.get("numbers", ()), strict=False))
        return ratio({**numbers, **{n: v for n, v in learnt.items() if n != "numbers"}}, settings)

    return made, read


def _overheard(detector: Any) -> tuple[Any, Callable[[float], float]]:
    """A detector whose tests are written down: it measures once in ``stride`` values."""
    heard: list[float] = []

    class Overheard(detector):  # type: ignore[misc]
        def _measure(self, current: Floats) -> Measured:
            measured: Measured = super()._measure(current)
            heard.append(_ratio(measured, bets=False))
            return measured

    def read(last: float) -> float:
        return heard.pop() if heard else last

    return Overheard(), read


def _ratio(measured: Measured, *, bets: bool) -> float:
    if bets:
        return math.log(max(measured.value, 1.0)) / math.log(measured.threshold)
    return measured.value / measured.threshold


def _won(state: dict[str, Any], run_length: float) -> float:
    learnt = state.get("learnt", state)
    evidence = learnt["evidence"]
    sums = (evidence["sum"] + evidence["start"]) * evidence["product"]
    return max(0.0, math.log(max(float(np.sum(sums)), 1e-9)) / math.log(run_length))


def _page_hinkley(n: Numbers, settings: Any) -> float:
    if n["_count"] < settings.n_start:
        return math.nan
    reached = max(n["_up"] - n["_least"], n["_greatest"] - n["_down"])
    return float(reached / settings.threshold)


def _ddm(n: Numbers, settings: Any) -> float:
    if not math.isfinite(n["_least_rate"]):
        return math.nan
    error = math.sqrt(n["_rate"] * (1.0 - n["_rate"]) / n["_count"])
    bound = n["_least_rate"] + settings.deviations * n["_least_error"]
    return float((n["_rate"] + error) / bound)


def _eddm(n: Numbers, settings: Any) -> float:
    if n["_errors"] <= settings.n_start:
        return math.nan
    distance = n["_mean"] + 2.0 * math.sqrt(n["_squares"] / (n["_errors"] - 1.0))
    return float(settings.beta * n["_greatest"] / distance)


def _hddm_a(n: Numbers, settings: Any) -> float:
    before, count = n["_low_count"], n["_count"]
    if before in (0.0, count):
        return math.nan
    share = (count - before) / before / count
    bound = math.sqrt(share / 2.0 * math.log(2.0 / settings.alpha))
    return max(0.0, (n["_rate"] - n["_low_rate"]) / bound)


def _hddm_w(n: Numbers, settings: Any) -> float:
    if min(n["_above_mean"], n["_low_mean"]) < 0.0:
        return math.nan
    squares = n["_above_squares"] + n["_low_squares"]
    bound = math.sqrt(squares * math.log(1.0 / settings.alpha) / 2.0)
    return max(0.0, (n["_above_mean"] - n["_low_mean"]) / bound)


def _fhddm(n: dict[str, Any], settings: Any) -> float:
    if len(n["window"]) < settings.window:
        return math.nan
    bound = math.sqrt(-math.log(settings.alpha) / (2.0 * settings.window))
    return float((n["best"] - np.mean(n["window"])) / bound)


_BETS = ("conformal", "bernoulli")
_RATIOS: dict[str, Callable[[Any, Any], float]] = {
    "page_hinkley": _page_hinkley,
    "ddm": _ddm,
    "eddm": _eddm,
    "hddm_a": _hddm_a,
    "hddm_w": _hddm_w,
    "fhddm": _fhddm,
}
