"""Texts and flags as codes: bounded, the same in any split, and quiet about free text."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.fields import FieldTable
from detectors.state import StateError, pack, unpack
from detectors.texts import OTHERS, SETTLING, UNTOLD, Codebook, Codebooks, text_column
from schemas.detector_settings import FieldSettings

CELLS = st.one_of(st.sampled_from(["a", "b", "c", "", "true"]), st.booleans(), st.text(max_size=3))
PAYLOADS = st.lists(
    st.dictionaries(
        st.sampled_from(["t", "u"]), st.one_of(CELLS, st.integers(0, 3), st.none()), max_size=2
    ),
    max_size=40,
)


def table(max_categories: int = 2, **options: Any) -> FieldTable:
    return FieldTable(FieldSettings(**options), Codebooks(max_categories, max_fields=1))


@settings(max_examples=60, deadline=None)
@given(payloads=PAYLOADS, cuts=st.lists(st.integers(0, 320), max_size=6))
def test_any_split_gives_the_same_codes_and_state(payloads: list, cuts: list[int]) -> None:
    batch = 8 * payloads
    whole, split = table(), table()
    names, x = whole.columns(batch)
    parts = []
    for begin, end in pairwise([0, *sorted(min(cut, len(batch)) for cut in cuts), len(batch)]):
        split.restore(unpack(pack(split.state())))
        part_names, part = split.columns(batch[begin:end])
        placed = np.full((end - begin, len(names)), np.nan)
        placed[:, [names.index(name) for name in part_names]] = part
        parts.append(placed)
    assert np.array_equal(np.concatenate(parts), x, equal_nan=True)
    assert pack(split.state()) == pack(whole.state())


def test_codes_follow_the_first_appearance_once_the_field_is_settled() -> None:
    fields = table(10)
    names, x = fields.columns(SETTLING * [{"site": "north"}] + [{"site": "south"}, {"site": True}])
    assert names == (text_column("site"),)
    assert (x[:SETTLING, 0] == UNTOLD).all()
    assert x[SETTLING:, 0].tolist() == [1.0, 2.0]


def test_numbers_and_texts_at_one_path_are_two_columns() -> None:
    names, x = table().columns([{"t": 1.5}, {"t": "n/a"}])
    assert names == ("t", text_column("t"))
    assert np.array_equal(x, [[1.5, np.nan], [np.nan, UNTOLD]], equal_nan=True)


def test_texts_are_left_alone_without_codebooks() -> None:
    assert FieldTable().columns([{"t": "a", "up": True}]).names == ()


def test_nearly_distinct_texts_are_left_out_and_counted() -> None:
    books = Codebooks(100)
    fields = FieldTable(codebooks=books)
    batch = [{"uid": f"u{n}", "site": "ab"[n % 2]} for n in range(1000)]
    names, x = fields.columns(batch)
    assert (x[:, names.index(text_column("uid"))] == UNTOLD).all()
    assert (x[SETTLING:, names.index(text_column("site"))] >= 0.0).all()
    assert books.n_left_out == 1
    assert len(pack(fields.state())) < 500  # none of the names is remembered


def test_categories_beyond_the_bound_are_others() -> None:
    book = Codebook(2)
    book.codes(SETTLING * ["a"])
    codes = book.codes([f"new {n}" for n in range(5000)])
    assert [book.name_of(int(code)) for code in codes[:3]] == ["new 0", OTHERS, OTHERS]
    assert codes.max() <= 101.0
    assert len(pack(book.state())) < 3000


def test_texts_that_no_event_can_carry_have_a_name_all_the_same() -> None:
    book = Codebook(10)
    book.codes(SETTLING * ["a"])
    codes = book.codes(["", "two\nlines", "x" * 500, "two\nlines"])
    assert codes.tolist() == [1.0, 2.0, 3.0, 2.0]
    names = [book.name_of(int(code)) for code in codes]
    assert names[:2] == ["(empty)", "two\\nlines"]
    assert all(name.isprintable() and 0 < len(name) <= 128 for name in names)


def test_no_more_paths_than_allowed_get_a_book() -> None:
    names, _ = table().columns([{"b": "x"}, {"a": "y", "b": "z"}])
    assert names == (text_column("b"),)


@pytest.mark.parametrize("change", [{"texts": 7}, {"n_settling": 10_000}, {"left_out": 2}])
def test_damaged_books_are_refused(change: dict[str, Any]) -> None:
    state = Codebook(10).state()
    with pytest.raises(StateError):
        Codebook(10).restore({**state, **change})
