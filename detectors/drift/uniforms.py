"""Uniform numbers that depend on a seed and a count alone, so no generator has to be kept."""

from functools import lru_cache

import numpy as np

from detectors.values import Floats

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_PAGE = 256  # numbers made at once: fields that stand at the same count share them


def uniforms(seed: int, start: int, n: int) -> Floats:
    """Return numbers ``start`` to ``start + n - 1`` of stream ``seed``, float64 [n] in [0, 1).

    SplitMix64 as a counter-based generator (Steele, Lea and Flood, OOPSLA 2014). The result may
    be read-only.

    >>> whole, part = uniforms(7, 0, 4), uniforms(7, 2, 2)
    >>> bool((whole[2:] == part).all())
    True
    """
    first, begin = divmod(start, _PAGE)
    end = begin + n
    if end <= _PAGE:
        return _page(seed, first)[begin:end]
    pages = [_page(seed, number) for number in range(first, first + -(-end // _PAGE))]
    return np.concatenate(pages)[begin:end]


@lru_cache(maxsize=256)
def _page(seed: int, number: int) -> Floats:
    start = number * _PAGE
    mixed = (np.arange(start, start + _PAGE, dtype=np.uint64) + np.uint64(seed << 32)) * _STEP
    for shift, factor in _MIX:
        mixed = (mixed ^ (mixed >> shift)) * factor
    mixed ^= mixed >> np.uint64(31)
    page: Floats = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    page.flags.writeable = False
    return page
