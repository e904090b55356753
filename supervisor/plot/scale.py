"""From numbers to places on an axis, and round numbers to write beside it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

_HUGE = 1e300  # beyond it differences overflow
_TINY = 1e-290  # below it quotients of differences do
_MARGIN = 0.04
_STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from ``low`` to ``high``; the two differ."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Where a value lies, from 0 at ``low`` to 1 at ``high``; those beyond lie at the ends.

        >>> Scale(0.0, 10.0).place(2.5), Scale(0.0, 10.0).place(99.0)
        (0.25, 1.0)
        """
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def ticks(self, most: int) -> list[float]:
        """Round numbers on the axis, ascending: at least one, at most about ``most``.

        >>> Scale(-0.3, 10.4).ticks(6)
        [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
        """
        rough = (self.high - self.low) / max(1, most)
        power = 10.0 ** math.floor(math.log10(rough))
        step = power * next(each for each in _STEPS if each * power >= rough * (1.0 - 1e-9))
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        found = [number * step for number in range(first, last + 1)]
        return found[: most + 2] or [self.low]


def scale_over(numbers: Iterable[float]) -> Scale:
    """An axis that reaches all the numbers, with some room at both ends.

    >>> scale_over([3.0])
    Scale(low=2.5, high=3.5)
    """
    known = [min(max(number, -_HUGE), _HUGE) for number in numbers if not math.isnan(number)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    if high - low <= max(_TINY, 1e-9 * max(abs(low), abs(high))):
        room = 0.5 * abs(low) if _TINY < abs(low) < 1e-3 else max(0.5, 0.1 * abs(low))
        return Scale(low - room, low + room)
    return Scale(low - _MARGIN * (high - low), high + _MARGIN * (high - low))


def brief(value: float) -> str:
    """A number in four significant digits.

    >>> brief(1234567.0), brief(0.00123456), brief(12.0), brief(-0.0)
    ('1.235e+06', '0.001235', '12', '0')
    """
    return f"{value + 0.0:.4g}"
