"""Reading a state back: every value is checked before a detector takes it."""

from typing import cast

import numpy as np

from detectors.state import State, StateError, StateValue
from detectors.values import AnyArray, Floats


class StateReader:
    """Typed access to ``state``; ``owner`` names the detector in error messages.

    Every method raises :class:`StateError` when the value is absent or not what it should be.
    """

    def __init__(self, state: State, owner: str) -> None:
        self._state = state
        self._owner = owner

    def array(self, name: str, dtype: type[np.generic], shape: tuple[int, ...]) -> AnyArray:
        """Return a copy of an array of exactly this dtype and shape."""
        value = self._get(name)
        if not isinstance(value, np.ndarray) or value.dtype != dtype or value.shape != shape:
            raise self._error(name, f"an array of {dtype.__name__} in the shape {shape}")
        return value.copy()

    def floats(self, name: str, shape: tuple[int, ...]) -> Floats:
        """Return a copy of a float64 array of exactly this shape."""
        return cast(Floats, self.array(name, np.float64, shape))

    def values(self, name: str, max_size: int) -> Floats:
        """Return a copy of a one-dimensional float64 array of at most ``max_size`` values."""
        value = self._get(name)
        if not isinstance(value, np.ndarray) or value.ndim != 1 or value.size > max_size:
            raise self._error(name, f"at most {max_size} values")
        return self.floats(name, value.shape)

    def integer(self, name: str, low: int = 0, high: int = 2**62) -> int:
        """Return an integer in [low, high]."""
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._error(name, f"an integer from {low} to {high}")
        return value

    def number(self, name: str) -> float:
        """Return a float, which may be NaN or infinite."""
        value = self._get(name)
        if not isinstance(value, float):
            raise self._error(name, "a float")
        return value

    def text(self, name: str) -> str:
        """Return a string."""
        value = self._get(name)
        if not isinstance(value, str):
            raise self._error(name, "a string")
        return value

    def raw(self, name: str) -> bytes:
        """Return a byte string."""
        value = self._get(name)
        if not isinstance(value, bytes):
            raise self._error(name, "bytes")
        return value

    def mapping(self, name: str) -> State:
        """Return a nested state."""
        value = self._get(name)
        if not isinstance(value, dict):
            raise self._error(name, "a mapping")
        return value

    def states(self, name: str) -> list[State]:
        """Return a list of nested states."""
        value = self._get(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._error(name, "a list of mappings")
        return cast(list[State], value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a tuple of distinct strings."""
        value = self._get(name)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise self._error(name, "a list of strings")
        if len(set(value)) != len(value):
            raise self._error(name, "distinct strings")
        return cast(tuple[str, ...], tuple(value))

    def keys(self, name: str, size: int) -> list[str | None]:
        """Return a list of ``size`` distinct strings, one of which may be None."""
        value = self._get(name)
        if not isinstance(value, list) or len(value) != size:
            raise self._error(name, f"a list of {size} keys")
        if not all(key is None or isinstance(key, str) for key in value):
            raise self._error(name, "strings or null")
        keys = cast(list[str | None], value)
        if len(set(keys)) != size:
            raise self._error(name, "distinct keys")
        return keys

    def expect(self, name: str, wanted: StateValue) -> None:
        """Check that a plain value is the one ``wanted``, such as the settings it belongs to."""
        if self._get(name) != wanted:
            raise self._error(name, f"{wanted!r}; its settings changed, so start it anew")

    def _get(self, name: str) -> StateValue:
        if name not in self._state:
            raise self._error(name, "there")
        return self._state[name]

    def _error(self, name: str, wanted: str) -> StateError:
        return StateError(f"the state of {self._owner} does not fit: {name!r} must be {wanted}")
