"""States as bytes: what goes in comes out, and nothing else is let in."""

import json
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detectors.state import StateError, pack, unpack
from detectors.state_reader import StateReader

dtypes = st.sampled_from(["?", "<i1", "<u2", "<i4", "<i8", "<u8", "<f4", "<f8", ">f8", "S5"])
arrays = dtypes.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, min_side=0)))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text()
    | st.binary()
    | arrays
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
states = st.dictionaries(st.text(), values, max_size=5)


def _same(left: object, right: object) -> bool:
    if isinstance(left, np.ndarray):
        assert isinstance(right, np.ndarray)
        native = left.astype(left.dtype.newbyteorder("="))
        return native.dtype == right.dtype and native.tobytes() == right.tobytes()
    if isinstance(left, dict) and isinstance(right, dict):
        return set(left) == set(right) and all(_same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    both_nan = left != left and right != right
    return type(left) is type(right) and (left == right or both_nan)


def _blob(header: object, body: bytes = b"") -> bytes:
    """A blob with a right checksum around a header of one's choice."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    rest = text + body
    return struct.pack("<6sHII", b"PSTATE", 1, zlib.crc32(rest), len(text)) + rest


@settings(max_examples=150, deadline=None)
@given(states)
def test_what_goes_in_comes_out(state: dict) -> None:
    assert _same(state, unpack(pack(state)))
    assert pack(unpack(pack(state))) == pack(state)


def test_equal_states_give_equal_bytes() -> None:
    assert pack({"a": 1, "b": 2}) == pack({"b": 2, "a": 1})


def test_arrays_come_back_writable() -> None:
    array = unpack(pack({"a": np.arange(3)}))["a"]
    array[0] = 7
    assert array[0] == 7


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(blob: bytes) -> None:
    with pytest.raises(StateError):
        unpack(blob)


@settings(max_examples=150, deadline=None)
@given(states, st.data())
def test_damage_is_noticed(state: dict, data: st.DataObject) -> None:
    blob = bytearray(pack(state))
    at = data.draw(st.integers(0, len(blob) - 1))
    if data.draw(st.booleans()):
        blob[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del blob[at:]
    with pytest.raises(StateError):
        unpack(bytes(blob))


@settings(max_examples=200, deadline=None)
@given(states, st.data())
def test_damage_behind_a_right_checksum_raises_nothing_but_state_errors(
    state: dict, data: st.DataObject
) -> None:
    blob = pack(state)
    rest = bytearray(blob[16:])
    at = data.draw(st.integers(0, len(rest) - 1))
    rest[at] = data.draw(st.integers(0, 255))
    length = struct.unpack_from("<I", blob, 12)[0]
    forged = struct.pack("<6sHII", b"PSTATE", 1, zlib.crc32(bytes(rest)), length) + rest
    with suppress(StateError):
        unpack(bytes(forged))


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ([], b""),
        (b"\xff", b""),
        (b"[" * 100_000, b""),
        (b'{"a": ' + b"9" * 5000 + b"}", b""),
        (b'{"a": NaN}', b""),
        ({"a": 2**63}, b""),
        (b'{"a": 1e999}', b""),
        ({"a": {"f": "1.0"}}, b""),
        ({"a": {"x": 1}}, b""),
        ({"a": {"m": {}, "l": []}}, b""),
        ({"a": {"m": 3}}, b""),
        ({"a": {"b": [0, 5]}}, b"1234"),
        ({"a": {"b": [1, 3]}}, b"1234"),
        ({"a": {"b": [0, -1]}}, b"1234"),
        ({"a": {"b": [0, 3]}}, b"1234"),
        ({"a": {"a": ["<f8", [1], 0]}}, b"1234567"),
        ({"a": {"a": ["<f8", [2**62, 2**62, 0], 0]}}, b""),
        ({"a": {"a": ["<f8", [-1], 0]}}, b""),
        ({"a": {"a": ["<f8", [True], 0]}}, b"12345678"),
        ({"a": {"a": ["<f8", [1] * 9, 0]}}, b"12345678"),
        ({"a": {"a": ["|O", [1], 0]}}, b"12345678"),
        ({"a": {"a": ["|V8", [1], 0]}}, b"12345678"),
        ({"a": {"a": ["|b1", [1], 0]}}, b"\x02"),
        (b'{"a": ' + b'{"l": [' * 40 + b"]}" * 40 + b"}", b""),
        (b'{"a": ' + b'{"m": {"a": ' * 40 + b"1" + b"}}" * 40 + b"}", b""),
    ],
)
def test_headers_that_pack_cannot_have_written_are_refused(header: object, body: bytes) -> None:
    with pytest.raises(StateError):
        unpack(_blob(header, body))


def _nested(depth: int, wrap: type) -> object:
    value: object = 1
    for _ in range(depth):
        value = {"a": value} if wrap is dict else [value]
    return value


@pytest.mark.parametrize(
    "state",
    [
        {"a": object()},
        {"a": np.int64(1)},
        {"a": 2**63},
        {"a": np.array([None])},
        {"a": np.array(["text"])},
        {"a": np.zeros((1, 1, 1, 1, 1))},
        {1: 2},
        {"a": _nested(40, dict)},
        {"a": _nested(40, list)},
    ],
)
def test_values_without_a_place_in_the_format_are_named(state: dict) -> None:
    with pytest.raises(StateError):
        pack(state)


def test_a_state_larger_than_allowed_is_refused() -> None:
    blob = pack({"a": np.zeros(1000)})
    with pytest.raises(StateError, match="bytes"):
        unpack(blob, max_bytes=1000)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda reader: reader.array("v", np.int64, (2,)), np.zeros(2)),
        (lambda reader: reader.values("v", 3), np.zeros(4)),
        (lambda reader: reader.integer("v"), True),
        (lambda reader: reader.integer("v", high=3), 4),
        (lambda reader: reader.number("v"), 1),
        (lambda reader: reader.raw("v"), "text"),
        (lambda reader: reader.mapping("v"), 3),
        (lambda reader: reader.states("v"), [1]),
        (lambda reader: reader.texts("v"), [1]),
        (lambda reader: reader.texts("v"), ["a", "a"]),
        (lambda reader: reader.keys("v", 2), ["a"]),
        (lambda reader: reader.keys("v", 1), [3]),
        (lambda reader: reader.keys("v", 2), [None, None]),
        (lambda reader: reader.expect("v", 1), 2),
        (lambda reader: reader.integer("absent"), 1),
    ],
)
def test_a_reader_refuses_what_does_not_fit(read, value) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StateError, match="the state of Owner does not fit"):
        read(StateReader({"v": value}, "Owner"))
