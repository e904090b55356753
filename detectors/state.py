"""Detector state as bytes and back, without pickle.

A state is a nested mapping of strings to arrays and plain values. The format, little-endian::

    6 bytes   magic            b"PSTATE"
    2 bytes   format version   1
    4 bytes   CRC-32           of everything that follows
    4 bytes   header length
    header    JSON, ASCII      the tree; keys sorted, so equal states give equal bytes
    body      raw bytes        of the arrays and byte strings, in header order, no gaps

In the header ``null``, booleans, strings, 64-bit integers and finite floats stand for
themselves. Everything else is an object with one key: ``{"m": {…}}`` a mapping, ``{"l": […]}``
a list, ``{"f": "nan" | "inf" | "-inf"}`` a float, ``{"b": [offset, length]}`` a byte string and
``{"a": [dtype, shape, offset]}`` an array. Offsets count from the start of the body.

The checksum finds accidents, not forgery: who stores a state where others can write must
authenticate it first.
"""

import json
import math
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from detectors.values import AnyArray

StateValue: TypeAlias = (
    "AnyArray | int | float | str | bool | bytes | Mapping[str, StateValue]"
    " | Sequence[StateValue] | None"
)
State: TypeAlias = Mapping[str, StateValue]

MAX_BYTES = 256 * 2**20
"""The default bound on the size of a packed state."""

_MAGIC, _VERSION, _PREFIX = b"PSTATE", 1, struct.Struct("<6sHII")
_DTYPE = re.compile(r"\|b1|\|[iu]1|<[iu][248]|<f[248]|\|S[1-9]\d{0,3}")
_MAX_DEPTH, _MAX_DIMENSIONS, _INT64 = 24, 4, 2**63


class StateError(ValueError):
    """The bytes are no state, or the state does not fit what it is restored into."""


def pack(state: State) -> bytes:
    """Write ``state`` as bytes; equal states give equal bytes.

    Raises :class:`StateError` for a value the format has no place for.

    >>> unpack(pack({"count": 3, "low": np.array([0.5])}))
    {'count': 3, 'low': array([0.5])}
    """
    writer = _Writer()
    header = json.dumps(writer.mapping(state, 0), separators=(",", ":"), allow_nan=False)
    rest = b"".join([header.encode("ascii"), *writer.chunks])
    return _PREFIX.pack(_MAGIC, _VERSION, zlib.crc32(rest), len(header)) + rest


def unpack(blob: bytes, max_bytes: int = MAX_BYTES) -> dict[str, StateValue]:
    """Read what :func:`pack` wrote; arrays come back writable and own their memory.

    Raises :class:`StateError`, and nothing else, for whatever :func:`pack` cannot have written
    or is larger than ``max_bytes``. Memory stays within a small multiple of the blob's size.
    """
    if not _PREFIX.size <= len(blob) <= max_bytes:
        raise StateError(f"a state has {_PREFIX.size} to {max_bytes} bytes, this has {len(blob)}")
    magic, version, checksum, length = _PREFIX.unpack_from(blob)
    if magic != _MAGIC or version != _VERSION:
        raise StateError(f"not a state of format {_VERSION}: it begins with {blob[:8]!r}")
    rest = memoryview(blob)[_PREFIX.size :]
    if zlib.crc32(rest) != checksum or length > len(rest):
        raise StateError("the state is damaged: its checksum or length is wrong")
    reader = _Reader(rest[length:])
    state = reader.mapping(_parse(bytes(rest[:length])), 0)
    if reader.cursor != len(reader.body):
        raise StateError(f"{len(reader.body) - reader.cursor} bytes follow the state's last array")
    return state


def _parse(header: bytes) -> object:
    try:
        return json.loads(header.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise StateError("the state's header is no JSON") from error


class _Writer:
    """Encodes values, collecting the body's chunks on the way."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self._offset = 0

    def mapping(self, values: State, depth: int) -> dict[str, Any]:
        if depth > _MAX_DEPTH:
            raise StateError(f"the state is nested deeper than {_MAX_DEPTH}")
        if not all(isinstance(key, str) for key in values):
            raise StateError(f"the keys of a state are strings, not {list(values)[:3]}")
        return {key: self._value(values[key], depth) for key in sorted(values)}

    def _value(self, value: StateValue, depth: int) -> object:
        match value:
            case None | bool() | str():
                return value
            case int():
                return self._integer(value)
            case float():
                return float(value) if math.isfinite(value) else {"f": repr(float(value))}
            case bytes():
                return {"b": [self._append(value), len(value)]}
            case np.ndarray():
                return self._array(value)
            case Mapping():
                return {"m": self.mapping(value, depth + 1)}
            case list() | tuple():
                return self._sequence(value, depth + 1)
        raise StateError(f"a state cannot hold {type(value).__name__}; convert it first")

    def _sequence(self, values: Sequence[StateValue], depth: int) -> dict[str, list[object]]:
        if depth > _MAX_DEPTH:
            raise StateError(f"the state is nested deeper than {_MAX_DEPTH}")
        return {"l": [self._value(item, depth) for item in values]}

    def _integer(self, value: int) -> int:
        if not -_INT64 <= value < _INT64:
            raise StateError("a state's integers have 64 bits; store larger ones as bytes")
        return value

    def _array(self, array: AnyArray) -> dict[str, list[object]]:
        data = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if not _DTYPE.fullmatch(data.dtype.str) or data.ndim > _MAX_DIMENSIONS:
            raise StateError(f"a state cannot hold arrays of {data.dtype.str} in {data.ndim} axes")
        return {"a": [data.dtype.str, list(data.shape), self._append(data.tobytes())]}

    def _append(self, chunk: bytes) -> int:
        offset = self._offset
        self.chunks.append(chunk)
        self._offset += len(chunk)
        return offset


class _Reader:
    """Decodes values; the body is consumed strictly in order, so nothing is read twice."""

    def __init__(self, body: memoryview) -> None:
        self.body = body
        self.cursor = 0

    def mapping(self, values: object, depth: int) -> dict[str, StateValue]:
        if not isinstance(values, dict) or depth > _MAX_DEPTH:
            raise StateError("the state's header is malformed or nested too deep")
        return {key: self._value(value, depth) for key, value in values.items()}

    def _value(self, value: object, depth: int) -> StateValue:
        match value:
            case None | bool() | str():
                return value
            case int() if -_INT64 <= value < _INT64:
                return value
            case float() if math.isfinite(value):
                return value
            case {"m": inner, **rest} if not rest:
                return self.mapping(inner, depth + 1)
            case {"l": list(items), **rest} if not rest and depth < _MAX_DEPTH:
                return [self._value(item, depth + 1) for item in items]
            case {"f": ("nan" | "inf" | "-inf") as text, **rest} if not rest:
                return float(text)
            case {"b": [int(offset), int(length)], **rest} if not rest:
                return bytes(self._take(offset, length))
            case {"a": [str(dtype), list(shape), int(offset)], **rest} if not rest:
                return self._array(dtype, shape, offset)
        raise StateError(f"the state's header holds an unknown value: {str(value)[:80]}")

    def _array(self, dtype: str, shape: list[object], offset: int) -> AnyArray:
        sizes = [size for size in shape if type(size) is int and 0 <= size < 2**31]
        bad_shape = len(sizes) != len(shape) or len(shape) > _MAX_DIMENSIONS
        if bad_shape or not _DTYPE.fullmatch(dtype):
            raise StateError(f"the state holds an impossible array: {dtype[:20]} {shape[:8]}")
        kind = np.dtype(dtype)
        chunk = self._take(offset, kind.itemsize * math.prod(sizes))
        if kind.kind == "b" and chunk.nbytes and max(chunk) > 1:
            raise StateError("the state holds a boolean that is neither 0 nor 1")
        return np.frombuffer(chunk, dtype=kind).reshape(sizes).astype(kind.newbyteorder("="))

    def _take(self, offset: int, length: int) -> memoryview:
        if offset != self.cursor or not 0 <= length <= len(self.body) - offset:
            raise StateError("the state's offsets do not follow one another")
        self.cursor += length
        return self.body[offset : offset + length]
