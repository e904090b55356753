"""The state of River's ADWIN, checked before River reads it.

River keeps ADWIN in Rust and hands its state over as bytes, so no pickle is needed; but it
takes any bytes back and aborts the interpreter's call stack with a panic, which no
``except Exception`` stops, when they are malformed. The layout, little-endian, of River 0.26::

    f64 delta, i32 clock, u64 max_buckets, f64 min_window_length, f64 grace_period
    f64 total, f64 variance, f64 width, f64 total_width
    i32 and i32, counters for its own use, i32 tick, i32 n_detections
    u64 number of rows, and for each row
        u64 max_buckets, u64 buckets in use
        u64 length and f64 totals, u64 length and f64 variances
    f64 delta, i32 clock, u64 max_buckets, i32 min_window_length, i32 grace_period
"""

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from detectors.state import StateError
from detectors.values import Floats
from schemas.drift_settings import AdwinSettings

_HEAD = struct.Struct("<diQdd")
_SUMS = struct.Struct("<dddd4i")
_TAIL = struct.Struct("<diQii")
_COUNT = struct.Struct("<Q")
_ROW = struct.Struct("<QQ")
_MOST_ROWS = 52  # row k holds buckets of 2**k values; beyond that a float64 cannot count them


class Window(NamedTuple):
    """ADWIN's window as buckets, oldest first: float64 sizes and sums, and its variance."""

    sizes: Floats
    sums: Floats
    variance: float


def window(blob: bytes, settings: AdwinSettings, value: float) -> Window:
    """Return the window in a state River wrote, with ``value`` added to it."""
    total, squares, width, *_ = _SUMS.unpack_from(blob, _HEAD.size)
    sizes: list[float] = []
    sums: list[float] = []
    rows = _HEAD.size + _SUMS.size + _COUNT.size
    row_size = _row_size(settings.max_buckets)
    for k in reversed(range((len(blob) - _TAIL.size - rows) // row_size)):
        at = rows + k * row_size
        _, used = _ROW.unpack_from(blob, at)
        totals = next(_columns(blob, at + _ROW.size, settings.max_buckets + 1))
        sizes += [float(1 << k)] * used
        sums += totals[:used]
    squares += (value - total / max(width, 1.0)) ** 2 * width / (width + 1.0)
    return Window(np.array([*sizes, 1.0]), np.array([*sums, value]), squares / (width + 1.0))


def check(blob: bytes, settings: AdwinSettings) -> bytes:
    """Return ``blob`` if River's ADWIN with these settings may have written it.

    Raises :class:`StateError` otherwise. What passes cannot make River panic: all lengths,
    indices and counts agree with each other, and all numbers are finite.
    """
    try:
        _check(blob, settings)
    except struct.error as error:
        raise _malformed("it is too short") from error
    return blob


def _check(blob: bytes, settings: AdwinSettings) -> None:
    options = (settings.delta, settings.clock, settings.max_buckets)
    lengths = (settings.min_window_length, settings.grace_period)
    end = len(blob) - _TAIL.size
    if _HEAD.unpack_from(blob) != options + lengths:
        raise _malformed("its settings are not those of the detector")
    if end < 0 or _TAIL.unpack_from(blob, end) != options + lengths:
        raise _malformed("its settings are not those of the detector")
    total, variance, width, total_width, *_ = _SUMS.unpack_from(blob, _HEAD.size)
    start = _HEAD.size + _SUMS.size
    (n_rows,) = _COUNT.unpack_from(blob, start)
    row_size = _row_size(settings.max_buckets)
    rows = start + _COUNT.size
    if not 1 <= n_rows <= _MOST_ROWS or rows + n_rows * row_size != end:
        raise _malformed("its length does not fit its number of rows")
    if not all(map(math.isfinite, (total, variance, width, total_width))) or variance < 0.0:
        raise _malformed("a sum is not finite")
    counted = sum(_row(blob, rows + k * row_size, settings.max_buckets) << k for k in range(n_rows))
    if counted != width:
        raise _malformed("its buckets do not add up to its width")


def _row_size(max_buckets: int) -> int:
    return _ROW.size + 2 * (_COUNT.size + 8 * (max_buckets + 1))


def _row(blob: bytes, at: int, max_buckets: int) -> int:
    """Check the row at ``at``; return how many of its buckets are in use."""
    limit, used = _ROW.unpack_from(blob, at)
    if limit != max_buckets or used > max_buckets:
        raise _malformed("a row holds more buckets than it may")
    for values in _columns(blob, at + _ROW.size, max_buckets + 1):
        if not all(map(math.isfinite, values)):
            raise _malformed("a bucket is not finite")
    return int(used)


def _columns(blob: bytes, at: int, length: int) -> Iterator[tuple[float, ...]]:
    column = struct.Struct(f"<{length}d")
    for start in (at, at + _COUNT.size + column.size):
        if _COUNT.unpack_from(blob, start) != (length,):
            raise _malformed("a row has the wrong length")
        yield column.unpack_from(blob, start + _COUNT.size)


def _malformed(what: str) -> StateError:
    return StateError(f"the bytes are no state of River's ADWIN: {what}")
