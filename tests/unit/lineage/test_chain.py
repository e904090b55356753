"""The hash chain: what it takes in is sound, in any order and any split."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.chain import START, ChainKey, Leaf, pack, unpack
from lineage.model import StampedRecord
from lineage.queries import Queries
from lineage.store import StoreSettings, open_store
from lineage.verify import verify
from tests.servers.lineage_records import LAYERS, histories

SECRET = b"a key"
KEY = ChainKey(SECRET)


@settings(deadline=None)
@given(data=st.data(), records=histories())
def test_any_history_in_any_order_and_split_is_sound(
    data: st.DataObject, records: list[StampedRecord]
) -> None:
    arrivals = data.draw(st.permutations(records + records[:2]))
    cut = data.draw(st.integers(0, len(arrivals)))
    with open_store(StoreSettings("sqlite::memory:", chain_key=SECRET), LAYERS) as store:
        store.write(arrivals[:cut])
        store.write(arrivals[cut:])
        found = verify(store, KEY)
    assert found.faults == []
    assert found.links == len(records)


@given(st.integers(0, 2), st.text(), st.binary())
def test_a_links_digest_depends_on_everything(which: int, text: str, body: bytes) -> None:
    link = KEY.link(START, "LINEAGE", 1, "LINEAGE/1-0", b"")
    others = (
        KEY.link(START, text, 1, "LINEAGE/1-0", b""),
        KEY.link(START, "LINEAGE", 1, text, b""),
        KEY.link(START, "LINEAGE", 1, "LINEAGE/1-0", body),
    )
    assert (others[which].digest == link.digest) == (others[which] == link)
    assert KEY.link(link.digest, "LINEAGE", 1, "LINEAGE/1-0", b"").digest != link.digest
    assert KEY.link(START, "LINEAGE", 2, "LINEAGE/1-0", b"").digest != link.digest
    assert ChainKey(b"other").link(START, "LINEAGE", 1, "LINEAGE/1-0", b"").digest != link.digest


def test_a_body_that_is_none_is_refused() -> None:
    leaves = [Leaf(None, 5, bytes(16)), Leaf(9, 6, bytes(16)), Leaf(None, 7, bytes(16), True)]
    assert unpack(pack(leaves)) == leaves
    with pytest.raises(ValueError, match="no whole number of leaves"):
        unpack(b"x")


def test_both_stores_know_the_same_upkeep() -> None:
    sql, cypher = Queries.load("upkeep.sql"), Queries.load("upkeep.cypher")
    assert sql.names == cypher.names
    for name in sql.names:
        if name != "chain_append":  # which takes its rows one by one, or all at once
            assert sql[name].parameters == cypher[name].parameters, name
            assert sql[name].about == cypher[name].about or not sql[name].about, name
