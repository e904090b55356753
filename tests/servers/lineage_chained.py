"""A lineage store that keeps a chain under a key, a way past it, and a short history for it."""

from collections.abc import Iterator

import pytest

from lineage.chain import ChainKey
from lineage.model import StampedRecord
from lineage.store import LineageStore, StoreSettings, open_store
from tests.servers.lineage_places import Tamper
from tests.servers.lineage_records import LAYERS, commit, output

SECRET = b"the key of these tests"
KEY = ChainKey(SECRET)
TOLD = {"tenant": "acme", "source": "camera", "roe_hash": "5d" * 16}


@pytest.fixture
def store(place: tuple[str, Tamper]) -> Iterator[LineageStore]:
    with open_store(StoreSettings(place[0], chain_key=SECRET), LAYERS) as opened:
        yield opened


@pytest.fixture
def tamper(place: tuple[str, Tamper]) -> Tamper:
    return place[1]


def history() -> list[StampedRecord]:
    """Three readings pass a gate, one becomes a plan, one is rejected, one flagged; two lanes."""
    other_lane = commit(300, output("L3{1}", "L3_IN{1}/5-0"))
    return [
        commit(100, *(output("L3", f"L3_IN/{n}-0", **TOLD) for n in (10, 20, 30))),
        commit(110, output("SHRINK", "L3_IN/40-0", flags=["L3_IN/40-0"])),
        commit(200, output("L4", "L3/100-0", "L3/100-1", tenant="acme")),
        commit(210, output("ANOMALY_EVENTS", "L3/100-2", flags=["L3/100-2"])),
        StampedRecord("LINEAGE{1}/300-0", other_lane.record, other_lane.ids),
    ]
