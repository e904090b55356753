"""The lineage sink: how it writes what it reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic_core import to_json

from lineage.model import StampedRecord
from lineage.store import LineageStore
from schemas.topology_file import load_topology
from streams.entry import Entry
from tests.servers.lineage_records import commit, output
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
