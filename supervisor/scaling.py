"""How many processes a worker without state should have, from what waits for it.

More at once, fewer slowly. It asks for more when more entries wait, or by their slope will wait in
half a minute, than ``lag`` allows for each process, at two looks one after the other; of what is
allowed half has to wait by now, so that noise is no slope. Then it asks for as many as that needs,
at most twice as many as there are, and waits until those have had time to do something. It asks for
one fewer when for ``calm`` seconds at no time more waited than half of what one fewer would be
allowed. Where that turns out to have been one too few, the next calm has to last twice as long, up
to sixteen times, until that number has held for a while.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.replicas import Replicas
from supervisor.memory import slope

_AHEAD_S = 30.0
_SETTLE_S = 10.0
_SLOPE_LOOKS = 6
_SLOPE_FROM = 0.5
_DOWN_SHARE = 0.5
_MOST_CAUTION = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """How much waited for a worker at a moment."""

    at_s: float
    lag: int


@dataclass(frozen=True, slots=True)
class Pace:
    """What is remembered from look to look: the looks, the last change, and how careful to be."""

    looks: tuple[Seen, ...] = ()
    changed_at_s: float = float("-inf")
    lowered_at_s: float = float("-inf")
    caution: int = 1


@dataclass(frozen=True, slots=True)
class Decision:
    """How many processes there should be, and why, if that is a change."""

    processes: int
    why: str = ""


def decide(bounds: Replicas, processes: int, pace: Pace, seen: Seen) -> tuple[Decision, Pace]:
    """The number of processes after one more look, never outside of ``bounds``; pure."""
    calm_s = bounds.calm * pace.caution
    kept = tuple(look for look in pace.looks if look.at_s >= seen.at_s - calm_s - _SETTLE_S)
    pace = replace(pace, looks=(*kept, seen))
    wanted, why = bounds.within(processes), "outside of its range"
    if wanted == processes and seen.at_s - pace.changed_at_s >= _SETTLE_S:
        wanted, why = _more(bounds, processes, pace.looks) or _fewer(
            bounds, processes, pace, calm_s
        )
    if wanted == processes:
        return Decision(processes), pace
    return Decision(wanted, why), _after(pace, bounds, processes, wanted, seen.at_s)


def _after(pace: Pace, bounds: Replicas, before: int, after: int, now_s: float) -> Pace:
    """The looks so far were at another number of processes, so they count no longer."""
    caution, lowered_at_s = pace.caution, pace.lowered_at_s
    if after < before:
        held = now_s - lowered_at_s > 4 * bounds.calm * caution
        return Pace((), now_s, now_s, 1 if held else caution)
    regretted = now_s - lowered_at_s <= bounds.calm * caution
    return Pace((), now_s, lowered_at_s, min(_MOST_CAUTION, caution * 2) if regretted else caution)


def _more(bounds: Replicas, processes: int, looks: Sequence[Seen]) -> tuple[int, str] | None:
    if processes >= bounds.max or len(looks) < 2:
        return None
    ahead = [ahead_of(looks[:-1]), ahead_of(looks)]
    now, allowed = looks[-1].lag, bounds.lag * processes
    if min(ahead) <= allowed or now <= _SLOPE_FROM * allowed:
        return None
    needed = math.ceil(min(ahead) / bounds.lag)
    wanted = bounds.within(min(needed, 2 * max(1, processes)))
    return wanted, f"{now:,} entries wait, and in {_AHEAD_S:.0f} s {ahead[1]:,.0f} would"


def _fewer(bounds: Replicas, processes: int, pace: Pace, calm_s: float) -> tuple[int, str]:
    since_s = pace.looks[-1].at_s - calm_s
    if processes <= bounds.min or pace.looks[0].at_s > since_s:
        return processes, ""
    most = max(look.lag for look in pace.looks if look.at_s >= since_s)
    if most > _DOWN_SHARE * bounds.lag * (processes - 1):
        return processes, ""
    return processes - 1, f"for {calm_s:.0f} s never more than {most:,} entries waited"


def ahead_of(looks: Sequence[Seen]) -> float:
    """How many will wait in half a minute: the last lag, and what its slope adds, if it rises.

    The slope is the median of those between the last six looks, fewer tell none, so one burst is no
    slope.
    """
    last = looks[-_SLOPE_LOOKS:]
    span_s = last[-1].at_s - last[0].at_s
    if len(last) < _SLOPE_LOOKS or span_s <= 0:
        return float(last[-1].lag)
    a_step = slope([float(look.lag) for look in last])
    return last[-1].lag + max(0.0, a_step * (len(last) - 1) / span_s * _AHEAD_S)
