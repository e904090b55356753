"""The lineage sink: how it writes what it reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic_core import to_json
from structlog.testing import capture_logs

from lineage.chain import ChainKey
from lineage.errors import StoreError
from lineage.model import StampedRecord
from lineage.retention import Ages, hold
from lineage.schedule import Schedule
from lineage.store import LineageStore, open_store
from lineage.verify import verify
from schemas.topology import Topology
from schemas.topology_file import load_topology
from streams.entry import Entry
from tests.servers.lineage_records import LAYERS, commit, output
from workers import lineage
from workers.lineage import LineageSink

TOPOLOGY = load_topology(Path(__file__).parents[3] / "streams.yaml")


class Writes:
    """Takes down what is written, and nothing else."""

    def __init__(self) -> None:
        self.uids: list[list[str]] = []

    def write(self, records: Sequence[StampedRecord]) -> None:
        self.uids.append([record.uid for record in records])


def entry(at: int, outputs: int) -> Entry:
    made = commit(at, *(output("L3", f"L3_IN/{n}-0") for n in range(outputs)))
    data: Any = to_json(made.record)
    ids = " ".join(str(each) for each in made.ids).encode()
    return Entry("LINEAGE", f"{at}-0", [b"data", data, b"ids", ids])


def test_a_batch_of_many_messages_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "MESSAGES_AT_ONCE", 5)
    written = Writes()
    sink = LineageSink(TOPOLOGY, "lineage", open_store=lambda: cast("LineageStore", written))
    batch = [entry(at, outputs) for at, outputs in ((1, 2), (2, 3), (3, 9), (4, 1), (5, 1))]
    assert len(sink.handle(batch)) == 5
    assert written.uids == [
        ["LINEAGE/1-0", "LINEAGE/2-0"],
        ["LINEAGE/3-0"],
        ["LINEAGE/4-0", "LINEAGE/5-0"],
    ]


KEPT = {"every": "1h", "layers": {"3": "10s", "9": "ever"}, "batch": 2}


def retaining(kept: dict[str, Any]) -> Topology:
    """The reference topology, whose lineage worker removes what is old."""
    tree = TOPOLOGY.model_dump(by_alias=True, exclude_unset=True)
    tree["workers"]["lineage"]["retention"] = kept
    return Topology.model_validate(tree)


def sink_at(clock: list[float], store: LineageStore, lane: int = 0) -> LineageSink:
    return LineageSink(
        retaining(KEPT), "lineage", open_store=lambda: store, lane=lane, now_s=lambda: clock[0]
    )


def turns(sink: LineageSink, first: int, many: int = 6) -> None:
    """Let records come that made nothing."""
    for at in range(first, first + many):
        sink.handle([entry(at, 0)])


def test_what_is_old_goes_a_step_a_batch_and_no_more_often_than_asked_for() -> None:
    clock = [100.0]
    with open_store("sqlite::memory:", LAYERS) as store:
        sink = sink_at(clock, store)
        sink.handle([entry(1000, 3)])
        assert store.counts()["generated_by"] == 3  # the first step removed two of what came before
        turns(sink, 90_000)
        assert store.counts()["entities"] == 0
        clock[0] = 3699.0
        sink.handle([entry(2000, 2)])
        turns(sink, 91_000)
        assert store.counts()["entities"] == 4
        hold(store, ChainKey(), "L3/2000-1", 1)
        clock[0] = 3701.0
        turns(sink, 92_000)
        assert store.query("trace_up", uid="L3/2000-0") == []
        assert len(store.query("trace_up", uid="L3/2000-1")) == 2
        assert verify(store, ChainKey()).faults == []


def test_of_all_lanes_the_first_alone_removes() -> None:
    with open_store("sqlite::memory:", LAYERS) as store:
        sink = sink_at([100.0], store, lane=1)
        sink.handle([entry(1000, 3)])
        turns(sink, 90_000)
        assert store.counts()["entities"] == 6


def test_an_age_is_needed() -> None:
    with pytest.raises(ValueError, match="give 'age', or ages of 'layers', or both"):
        retaining({"every": "1h"})


def test_a_run_that_the_store_interrupts_begins_anew() -> None:
    clock = [100.0]
    with open_store("sqlite::memory:", LAYERS) as store:
        store.write([commit(1000, output("L3", "L3_IN/1-0"))])
        schedule = Schedule(ChainKey(), Ages(10.0), 3600.0, lambda: clock[0])
        with pytest.raises(StoreError):
            schedule.step(cast("LineageStore", Away()))
        removed = [schedule.step(store) for _ in range(3)]
        assert removed == [None, 2, None]
        assert schedule.step(store) is None


def test_a_batch_is_settled_although_nothing_can_be_removed() -> None:
    clock = [100.0]
    with open_store("sqlite::memory:", LAYERS) as store, capture_logs() as logs:
        inspect, store.inspect = store.inspect, Away().inspect  # type: ignore[method-assign]
        sink = sink_at(clock, store)
        assert len(sink.handle([entry(1000, 3)])) == 1
        assert len(sink.handle([entry(2000, 3)])) == 1
        assert [line["event"] for line in logs] == ["lineage_not_removed"]
        store.inspect = inspect  # type: ignore[method-assign]
        clock[0] = 3701.0
        turns(sink, 90_000)
        assert store.counts()["entities"] == 0


class Away:
    """A store whose server has gone."""

    def inspect(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        raise StoreError("the server has gone")
