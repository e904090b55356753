"""Payloads as columns."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.fields import FieldTable
from detectors.state import StateError, pack, unpack
from schemas.detector_settings import FieldSettings

numbers = st.integers(-(10**320), 10**320) | st.floats(allow_nan=True, allow_infinity=True)
leaves = st.none() | st.booleans() | st.text(max_size=3) | numbers
keys = st.sampled_from(["a", "b", "a.b", "", "c", "\n", "d" * 130])
payloads = st.recursive(
    leaves | st.lists(leaves, max_size=2),
    lambda inner: st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
batches = st.lists(st.dictionaries(keys, payloads, max_size=4), max_size=8)


def _plain(payload: dict, depth: int, prefix: str = "") -> dict[str, float]:
    """The obvious way to flatten one payload."""
    found: dict[str, float] = {}
    for key, value in payload.items():
        path = prefix + key
        if type(value) is dict and depth > 1:
            found |= _plain(value, depth - 1, path + ".")
        elif type(value) in (int, float) and not (type(value) is float and math.isnan(value)):
            found[path] = float(max(-(10**300), min(value, 10**300)))
    return found


@settings(max_examples=200, deadline=None)
@given(batches, st.integers(1, 4))
def test_columns_hold_what_plain_flattening_finds(batch: list[dict], depth: int) -> None:
    table = FieldTable(FieldSettings(max_depth=depth))
    names, x = table.columns(batch)
    for payload, row in zip(batch, x, strict=True):
        wanted = _plain(payload, depth)
        wanted = {path: wanted[path] for path in wanted if path in names}
        got = {name: value for name, value in zip(names, row, strict=True) if value == value}
        assert got == pytest.approx(wanted, rel=1e-15)
    assert all(0 < len(name) <= 128 and name.isprintable() for name in names)


@settings(max_examples=150, deadline=None)
@given(batches, st.integers(0, 8), st.integers(1, 3))
def test_any_split_admits_and_ignores_the_same(
    batch: list[dict], cut: int, max_fields: int
) -> None:
    options = FieldSettings(max_fields=max_fields)
    whole, split = FieldTable(options), FieldTable(options)
    whole.columns(batch)
    split.columns(batch[:cut])
    split.columns(batch[cut:])
    assert whole.state() == split.state()
    assert len(whole.names) <= max_fields


def test_only_numbers_become_columns() -> None:
    payload = {"n": 1, "s": "1", "b": True, "z": None, "l": [1, 2], "o": {"x": 2.5}}
    names, x = FieldTable().columns([payload])
    assert names == ("n", "o.x")
    assert x.tolist() == [[1.0, 2.5]]


def test_patterns_choose_among_dotted_paths() -> None:
    table = FieldTable(FieldSettings(patterns=("measurements.*", "risk")))
    names, _ = table.columns([{"measurements": {"f1": 1, "deep": {"f2": 2}}, "risk": 3, "x": 4}])
    assert names == ("measurements.deep.f2", "measurements.f1", "risk")


def test_numbers_beyond_floats_are_clipped() -> None:
    batch = [{"v": value} for value in (10**400, -(10**400), math.inf, -math.inf, 1e305, 7)]
    _, x = FieldTable().columns(batch)
    assert x[:, 0].tolist() == [1e300, -1e300, 1e300, -1e300, 1e300, 7.0]


def test_fields_past_the_bound_are_counted_and_left_out() -> None:
    table = FieldTable(FieldSettings(max_fields=2))
    table.columns([{"b": 1, "a": 1, "c": 1}])
    names, _ = table.columns([{"c": 1, "d": 1, "b": 2}])
    assert (table.names, names, table.ignored_values) == (("a", "b"), ("b",), 3)


def test_levels_past_the_bound_are_not_entered() -> None:
    names, _ = FieldTable(FieldSettings(max_depth=2)).columns([{"a": {"b": {"c": 1}, "d": 2}}])
    assert names == ("a.d",)


def test_no_payloads_give_no_columns() -> None:
    names, x = FieldTable().columns([])
    assert names == ()
    assert x.shape == (0, 0)


def test_payloads_without_numbers_keep_their_rows() -> None:
    names, x = FieldTable().columns([{"s": "x"}, {}])
    assert names == ()
    assert x.shape == (2, 0)


def test_a_restored_table_knows_its_fields() -> None:
    table = FieldTable(FieldSettings(max_fields=1))
    table.columns([{"a": 1, "b": 2}])
    restored = FieldTable(FieldSettings(max_fields=1))
    restored.restore(unpack(pack(table.state())))
    assert restored.columns([json.loads('{"b": 1}')]).names == ()
    assert restored.ignored_values == 2
    with pytest.raises(StateError):
        restored.restore({"names": 3})


def test_values_are_float64() -> None:
    assert FieldTable().columns([{"a": 1}]).x.dtype == np.float64
