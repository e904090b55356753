"""A part that raised is tried again around the entry that was in hand."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streams.entry import Entry
from workers.poison import parted


def entries(count: int) -> list[Entry]:
    """Entries 1-0, 2-0 and so on."""
    return [Entry("IN", f"{n}-0", []) for n in range(1, count + 1)]


def ids(parts: Sequence[Sequence[Entry]]) -> list[list[str]]:
    """The ids of each part."""
    return [[entry.id for entry in part] for part in parts]


def test_the_guilty_entry_comes_by_itself_and_last() -> None:
    assert ids(parted(entries(4), "2-0", ordered=False)) == [["1-0"], ["3-0", "4-0"], ["2-0"]]


def test_where_order_matters_it_is_kept() -> None:
    assert ids(parted(entries(4), "2-0", ordered=True)) == [["1-0"], ["2-0"], ["3-0", "4-0"]]


@given(count=st.integers(2, 9), guilty=st.integers(0, 10), ordered=st.booleans())
def test_nothing_is_lost_and_every_part_is_smaller(count: int, guilty: int, ordered: bool) -> None:
    whole = entries(count)
    parts = parted(whole, f"{guilty}-0", ordered=ordered)
    assert sorted(entry.id for part in parts for entry in part) == [entry.id for entry in whole]
    assert all(0 < len(part) < count for part in parts)
