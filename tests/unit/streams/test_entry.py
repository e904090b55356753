"""What an entry carries comes back from a rejection untouched."""

from hypothesis import given
from hypothesis import strategies as st

from streams.entry import Entry, carried, original

FIELDS = st.lists(st.binary(max_size=20), max_size=12).filter(lambda parts: len(parts) % 2 == 0)


@given(FIELDS)
def test_the_original_comes_back_whatever_its_bytes(fields: list[bytes]) -> None:
    assert original([b"data", b"{}", *carried(fields), b"parents", b"x/1-0"]) == fields


def test_an_original_of_very_many_fields_comes_back() -> None:
    fields = [b"%d" % i for i in range(20_000)]
    packed = carried(fields)
    assert len(packed) == 2
    assert original([b"data", b"{}", *packed]) == fields


def test_the_first_field_of_a_name_counts() -> None:
    entry = Entry("L3{2}", "17-3", [b"a", b"1", b"b", b"2", b"a", b"3"])
    assert (entry.get(b"a"), entry.get(b"b"), entry.get(b"c")) == (b"1", b"2", None)
    assert (entry.uid, entry.at_ms) == ("L3{2}/17-3", 17)
