"""Any split of a stream into batches gives the same outputs, the same events, the same state."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.chaos.payloads import mixed, numbered
from bench.chaos.topologies import parallel
from schemas.topology import Topology
from streams.entry import Entry, Settled
from streams.keys import Lane
from tests.servers.pipeline import topology_from
from workers.handler import Handler, StatefulHandler
from workers.kinds import build_handler

COUNT = 900
READS = {"gate": "IN", "pass": "OK", "summing": "FED", "anomaly": "FED", "drift": "FED"}


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(parallel("1s"), tmp_path)


def entries(worker: str) -> list[Entry]:
    payload = mixed if worker == "gate" else numbered
    return [Entry(READS[worker], f"{1000 + n}-0", [b"data", payload(n)]) for n in range(COUNT)]


def handled(handler: Handler, stream: Sequence[Entry], sizes: Sequence[int]) -> list[Settled]:
    """What becomes of a stream in batches of these sizes, and one of what is left."""
    found, at = [], 0
    for size in [*sizes, len(stream)]:
        found += handler.handle(stream[at : at + size]) if at < len(stream) else []
        at += size
    return found


@pytest.mark.parametrize("worker", list(READS))
def test_batches_do_not_matter(worker: str, topology: Topology) -> None:
    stream = entries(worker)
    whole = build_handler(topology, worker, Lane())
    expected = handled(whole, stream, [])
    assert any(settled.outputs for settled in expected)

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(sizes=st.lists(st.integers(1, 200), max_size=30))
    def split(sizes: list[int]) -> None:
        handler = build_handler(topology, worker, Lane())
        assert handled(handler, stream, sizes) == expected
        if isinstance(handler, StatefulHandler) and isinstance(whole, StatefulHandler):
            assert handler.state() == whole.state()

    split()


@pytest.mark.parametrize("worker", ["summing", "anomaly", "drift"])
def test_a_state_that_was_packed_goes_on_as_if_it_had_not_been(
    worker: str, topology: Topology
) -> None:
    stream = entries(worker)
    expected = handled(build_handler(topology, worker, Lane()), stream, [])

    @settings(
        max_examples=10,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(at=st.integers(1, COUNT - 1))
    def interrupted(at: int) -> None:
        before, after = (build_handler(topology, worker, Lane()) for _ in range(2))
        assert isinstance(before, StatefulHandler)
        assert isinstance(after, StatefulHandler)
        first = before.handle(stream[:at])
        after.restore(before.state())
        assert [*first, *after.handle(stream[at:])] == expected

    interrupted()
