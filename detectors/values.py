"""What a value may be: finite, at most 1e300 in size, NaN where the field is missing."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
AnyArray = np.ndarray[Any, np.dtype[Any]]

HUGE = 1e300
"""Values beyond ±HUGE, infinities among them, count as ±HUGE: differences stay finite."""

CAP = 1e6
"""The largest deviation or effect reported, also when the past never varied."""


def clean(values: ArrayLike) -> Floats:
    """Copy ``values`` as float64 within ±:data:`HUGE`; NaN stays NaN, -0.0 becomes 0.0.

    >>> clean([float("inf"), -1e308, 2.0])
    array([ 1.e+300, -1.e+300,  2.e+000])
    """
    # Not np.clip, whose fixed cost is several times that of a row.
    return np.minimum(np.maximum(np.asarray(values, dtype=np.float64), -HUGE), HUGE) + 0.0


def capped_ratio(distance: Floats, scale: Floats) -> Floats:
    """``distance / scale`` in [0, :data:`CAP`]; 0 where the distance is 0; NaN stays NaN.

    ``distance`` and ``scale`` are at least 0. Over a zero scale any distance is ``CAP``: a
    field that never varied did so now.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.minimum(distance / scale, CAP)
    ratio[distance == 0.0] = 0.0
    return ratio
