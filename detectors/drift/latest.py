"""The latest values of a stream, side by side in memory."""

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", np.float64, np.uint8)

_SPARE = 512  # places beyond ``size``: everything is moved to the front once in so many values
_FIRST = 64


class Latest(Generic[T]):
    """The last ``size`` values, oldest first.

    What :attr:`values` returned once never changes: new values go behind it, or elsewhere.

    >>> latest = Latest(3, np.array([1.0, 2.0]))
    >>> latest.push(np.array([3.0, 4.0]))
    >>> latest.values
    array([2., 3., 4.])
    """

    def __init__(self, size: int, values: NDArray[T]) -> None:
        self._size = size
        self._buffer: NDArray[T] = values[-size:].copy()
        self._end = len(self._buffer)

    @property
    def values(self) -> NDArray[T]:
        """The values, as a view; not to be written to."""
        values: NDArray[T] = self._buffer[max(0, self._end - self._size) : self._end]
        return values

    def __len__(self) -> int:
        return min(self._end, self._size)

    def push(self, values: NDArray[T]) -> None:
        """Append ``values`` (one-dimensional), forgetting the oldest ones beyond ``size``."""
        if len(values) > self._size:
            values = values[-self._size :]
        end = self._end + len(values)
        if end > len(self._buffer):
            end = self._make_room(len(values))
        self._buffer[end - len(values) : end] = values
        self._end = end

    def _make_room(self, n: int) -> int:
        """Take a new buffer with room for ``n`` more values; return where those will end."""
        kept = self.values[max(0, len(self) + n - self._size) :]
        end = len(kept) + n
        buffer = np.empty(min(self._size + _SPARE, max(2 * end, _FIRST)), dtype=kept.dtype)
        buffer[: len(kept)] = kept
        self._buffer = buffer
        return end
