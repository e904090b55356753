"""Which of the candidates to take, and why, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.trial.candidates import Family
from detectors.trial.result import Row

OUTLIER = 8.0
"""Anomaly detectors are judged by single messages that are off by so many robust deviations."""

SHIFT = 2.0
"""Drift detectors are judged by shifts of the mean of so many robust deviations."""

_AS_MANY = 0.05  # a share this much smaller counts as the same
_AS_SOON = 1.25  # so does a delay this many times as long
_TOO_SHORT = "no key has messages enough for a shift to be injected; try on more of them"
_USEFUL = 0.5  # a share found, beyond chance, below which nothing is recommended


@dataclass(frozen=True)
class Advice:
    """The row to take, or None where none will do, and the reason."""

    family: Family
    row: Row | None
    reason: str


def advise(rows: Sequence[Row], most_per_day: float) -> list[Advice]:
    """What to take of either family, within ``most_per_day`` alarms a day on this traffic.

    Of the anomaly detectors: the cheapest of those that flag about as many single outliers as
    the best. Of the drift detectors: the cheapest of those that find a shift of the mean about
    as surely and as soon as the best. Both count what is found beyond chance only.
    """
    return [_anomaly(rows, most_per_day), _drift(rows, most_per_day)]


def _anomaly(rows: Sequence[Row], most: float) -> Advice:
    within, why_not = _within(rows, "anomaly", most)
    best = max((_outliers(row) for row in within), default=0.0)
    if best < _USEFUL:
        return Advice("anomaly", None, why_not or _blind(f"single outliers of {OUTLIER:g} sd"))
    alike = [row for row in within if _outliers(row) >= best - _AS_MANY]
    taken = min(alike, key=lambda row: (row.cpu_us, row.name))
    reason = (
        f"it flags {taken.at(OUTLIER).at_once:.0%} of single messages that are off by "
        f"{OUTLIER:g} sd, with {_rate(taken)} ({_chosen(taken, alike, within, most)})"
    )
    return Advice("anomaly", taken, reason)


def _outliers(row: Row) -> float:
    return row.at(OUTLIER).at_once - row.by_chance.at_once


def _drift(rows: Sequence[Row], most: float) -> Advice:
    within, why_not = _within(rows, "drift", most)
    best = max((row.net(SHIFT) for row in within), default=0.0)
    if best < _USEFUL:
        return Advice("drift", None, why_not or _blind(f"shifts of {SHIFT:g} sd"))
    sure = [row for row in within if row.net(SHIFT) >= best - _AS_MANY]
    soonest = min(_delay(row) for row in sure)
    alike = [row for row in sure if _delay(row) <= _AS_SOON * soonest]
    taken = min(alike, key=lambda row: (row.cpu_us, row.name))
    reason = (
        f"it finds {taken.at(SHIFT).share:.0%} of the shifts of {SHIFT:g} sd, "
        f"{_delay(taken):.0f} messages after they begin in the median, with {_rate(taken)} "
        f"({_chosen(taken, alike, within, most)})"
    )
    return Advice("drift", taken, reason)


def _delay(row: Row) -> float:
    delay = row.at(SHIFT).delay
    return float("inf") if delay is None else delay


def _within(rows: Sequence[Row], family: Family, most: float) -> tuple[list[Row], str]:
    """The rows of a family that keep to the bound, and what to say where none does."""
    ours = [row for row in rows if row.family == family and row.n_shifts]
    within = [row for row in ours if row.per_day <= most]
    if within or not ours:
        return within, "" if ours else _TOO_SHORT
    least = min(ours, key=lambda row: (row.per_day, row.name))
    return [], (
        f"none keeps to {most:g} alarms a day on this traffic; the quietest is {least.name} with "
        f"{least.per_day:,.3g}, so allow more alarms or take a stricter setting"
    )


def _blind(what: str) -> str:
    return f"none of those that are quiet enough finds half of the {what} beyond chance"


def _rate(row: Row) -> str:
    alarms = "alarm" if f"{row.per_day:.3g}" == "1" else "alarms"
    return f"{row.per_day:.3g} {alarms} a day and {row.cpu_us:.3g} µs a message"


def _chosen(taken: Row, alike: Sequence[Row], within: Sequence[Row], most: float) -> str:
    keep = "keeps" if len(within) == 1 else "keep"
    kept = f"{len(within)} of that kind {keep} to {most:g} alarms a day"
    if len(alike) == 1:
        return f"{kept}, and none of them does as well"
    return f"{kept}, {len(alike)} of them do about as well, and it is the cheapest"
