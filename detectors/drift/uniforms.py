"""Uniform numbers that depend on a seed and a count alone, so no generator has to be kept."""

import numpy as np

from detectors.values import Floats

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)


def uniforms(seed: int, start: int, n: int) -> Floats:
    """Return numbers ``start`` to ``start + n - 1`` of stream ``seed``, float64 [n] in [0, 1).

    SplitMix64 as a counter-based generator (Steele, Lea and Flood, OOPSLA 2014).

    >>> whole, part = uniforms(7, 0, 4), uniforms(7, 2, 2)
    >>> bool((whole[2:] == part).all())
    True
    """
    mixed = (np.arange(start, start + n, dtype=np.uint64) + np.uint64(seed << 32)) * _STEP
    for shift, factor in _MIX:
        mixed = (mixed ^ (mixed >> shift)) * factor
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
