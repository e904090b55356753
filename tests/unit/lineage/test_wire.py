"""How an entry of the LINEAGE stream is read, and what is said of one that can't be."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import RecordError
from lineage.model import StampedRecord
from lineage.wire import decode
from tests.servers.lineage_records import commit, histories, output

RECORD = commit(5, output("L3", "L3_IN/1-0"), output("L3")).record
DATA = RECORD.model_dump_json().encode()


@given(histories())
def test_what_was_written_is_read(records: list[StampedRecord]) -> None:
    for stamped in records:
        words = " ".join(word or "-" for word in stamped.ids)
        data = stamped.record.model_dump_json().encode()
        assert decode(data, words.encode()) == (stamped.record, tuple(stamped.ids))


@pytest.mark.parametrize("ids", [b"", b"5-0", b"5-0 5-1 5-2"])
def test_as_many_ids_as_outputs_are_needed(ids: bytes) -> None:
    with pytest.raises(RecordError, match=r"'worker_1' has 2 outputs but \d entry ids"):
        decode(DATA, ids)


@pytest.mark.parametrize("word", ["5", "*", "5-0-0", "\N{ARABIC-INDIC DIGIT FIVE}-0", "5-x"])
def test_a_word_that_is_no_entry_id_is_refused(word: str) -> None:
    with pytest.raises(RecordError, match="entry ids look like"):
        decode(DATA, f"5-0 {word}".encode())


def test_ids_that_are_no_text_are_refused() -> None:
    with pytest.raises(RecordError, match="entry ids look like"):
        decode(DATA, b"5-0 \xff\xfe")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff", "the whole: Invalid JSON"),
        (b"{}", "schema_version|worker"),
        (DATA.replace(b'"run":', b'"rum":'), "run: Field required"),
        (DATA.replace(b"L3_IN/1-0", b"no uid"), r"outputs\.0\.parents\.0: String should match"),
    ],
)
def test_data_that_is_no_record_is_refused_with_the_place(data: bytes, says: str) -> None:
    with pytest.raises(RecordError, match=says):
        decode(data, b"5-0 5-1")


@given(st.binary(), st.binary())
def test_no_bytes_raise_anything_else(data: bytes, ids: bytes) -> None:
    for given_data in (data, DATA):
        with contextlib.suppress(RecordError):
            decode(given_data, ids)
