"""The tails of the normal distribution, in logarithms, where floats would end at 0."""

import math

_FAR = 25.0  # deviations / sqrt 2 from which the asymptotic series is exact to 1e-6


def two_sided_surprise(z: float) -> float:
    """Return -log10 P(|Z| >= z) for a standard normal Z and z >= 0.

    Beyond 35 deviations by erfc(x) = exp(-x²) / (x sqrt(pi)) (1 - 1 / (2 x²) + …), Abramowitz
    and Stegun 7.1.23.

    >>> [round(two_sided_surprise(z), 2) for z in (0.0, 1.96, 8.3, 50.0)]
    [0.0, 1.3, 15.98, 544.67]
    """
    x = z / math.sqrt(2.0)
    if x < _FAR:
        return max(0.0, -math.log10(math.erfc(x)))
    series = math.log1p(-0.5 / (x * x)) - math.log(x * math.sqrt(math.pi))
    return (x * x - series) / math.log(10.0)
