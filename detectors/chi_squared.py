"""The chi-squared distribution's tail.

Written out because importing scipy.special costs a worker a quarter of a second of start-up,
for one number a detector.
"""

import math
from functools import lru_cache

_HALVINGS = 80  # past the last bit of any start interval


def survival(x: float, degrees: int) -> float:
    """Return P(X > x) for a chi-squared X with ``degrees`` >= 1 degrees of freedom.

    Exact to rounding: for whole degrees the regularised gamma function is a finite sum
    (Abramowitz and Stegun, 26.4.4 and 26.4.5).

    >>> print(f"{survival(3.841458820694124, 1):.6f}")
    0.050000
    """
    half = x / 2.0
    if half <= 0.0:
        return 1.0
    power, total = (0.5, math.erfc(math.sqrt(half))) if degrees % 2 else (0.0, 0.0)
    while power < degrees / 2.0:
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1.0))
        power += 1.0
    return min(total, 1.0)


@lru_cache(maxsize=256)
def upper_quantile(alpha: float, degrees: int) -> float:
    """Return the x with P(X > x) = ``alpha``, for ``alpha`` in (0, 1).

    >>> print(f"{upper_quantile(1e-6, 9):.4f}")
    44.8109
    """
    low, high = 0.0, 1.0
    while survival(high, degrees) > alpha:
        high *= 2.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if survival(middle, degrees) > alpha:
            low = middle
        else:
            high = middle
    return high
