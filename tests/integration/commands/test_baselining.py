"""A first baseline comes by itself, and what is set has the detectors begin anew."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import structlog

from lineage.wire import decode
from schemas.baseline import Baseline, FieldBaseline
from schemas.topology import Topology
from streams.baselines import Baselines, Version
from streams.connection import Client, send
from streams.entry import Entry, Settled
from streams.keys import Lane
from tests.servers.command import Penstock, one
from tests.servers.crashing import dies_at_commit, run_until_killed
from tests.servers.pipeline import (
    READING,
    SMALL,
    Running,
    all_entries,
    reading,
    settled,
    start_worker,
    until,
)
from workers.baselining import WARM_UP, Baselining
from workers.drift import Drift
from workers.kinds import build_handler
from workers.standing import Standing

TREE: dict[str, Any] = SMALL | {
    "streams": SMALL["streams"]
    | {
        "OK": {"schema": READING, "source": True, "layer": 3, "retention": {"age": "9999d"}},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
    },
    "workers": SMALL["workers"]
    | {
        "drift": {
            "kind": "drift",
            "max_batch": 64,
            "checkpoint_every": "50ms",
            "watch": {"OK": {"fields": ["measurements.*"]}},
            "writes": "DRIFTS",
        }
    },
}


@pytest.fixture
def tree() -> dict[str, Any]:
    return TREE


def fill(client: Client, count: int, shift: float = 0.0, seed: int = 5) -> None:
    for x, y in np.random.default_rng(seed).normal(size=(count, 2)) + shift:
        send(client, "XADD", "OK", "*", "data", reading(x=float(x), y=float(y)))


@contextmanager
def drifting(client: Client, topology: Topology) -> Iterator[tuple[Running, Baselining]]:
    """A drift worker, and what stands beside its loop; that looks when it is told to."""
    handler = build_handler(topology, "drift", Lane())
    assert isinstance(handler, Drift)
    running = start_worker(client, topology, "drift", handler)
    try:
        until(lambda: running.standing.state == "running")
        yield running, looking(running, handler)
    finally:
        running.stop()


def looking(running: Running, handler: Drift) -> Baselining:
    log = structlog.get_logger()
    later = iter(range(0, 10_000, 60))  # each look is a minute after the one before
    return Baselining(
        running.station, handler, Standing(), log, monotonic_s=lambda: float(next(later))
    )


def newest(client: Client) -> Version | None:
    return Baselines(client, 1, "OK", "LINEAGE").newest()


def drifted(client: Client, topology: Topology) -> list[str]:
    until(lambda: settled(client, topology))
    found = [json.loads(e.get(b"data") or b"") for e in all_entries(client, topology, "DRIFTS")]
    return sorted(event["field"].rpartition(".")[2] for event in found)


def test_a_stream_gets_its_first_baseline_once_the_warm_up_is_over(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    fill(client, WARM_UP - 1)
    with drifting(client, topology) as (_, beside):
        beside.once()
        assert newest(client) is None
        fill(client, 50, seed=6)
        beside.once()
        first = newest(client)
        assert first is not None
        made = first.baseline
        assert (made.version, made.change) == (1, "set")
        assert {(f.size, f.learnt) for f in made.fields.values()} == {(WARM_UP, True)}
        assert list(made.fields) == ["measurements.x", "measurements.y"]
        [entry] = all_entries(client, topology, "LINEAGE")
        record = decode(entry.get(b"data") or b"", entry.get(b"ids") or b"")[0]
        assert (record.worker, record.worker_kind) == ("drift", "drift")
        field = made.fields["measurements.x"]
        assert record.outputs[0].parents == (field.first, field.last)
        one(penstock("baseline", "reset", "OK", "--json"))
        beside.once()
        gone = newest(client)
        assert gone is not None
        assert gone.baseline.fields == {}


def test_detectors_begin_anew_for_a_field_whose_baseline_is_set(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    fill(client, WARM_UP)
    with drifting(client, topology) as (running, beside):
        beside.once()
        assert drifted(client, topology) == []  # the first baseline is what they learnt
        one(penstock("baseline", "set", "OK.measurements.x", "--json"))
        beside.once()
        assert running.standing.state == "running"
    with drifting(client, topology) as (_, beside):  # the one before saved what it had heard
        beside.once()
        fill(client, 280, shift=3.0, seed=7)  # too few for x to know what is normal
        assert drifted(client, topology) == ["y"]
        fill(client, 400, shift=3.0, seed=8)
        fill(client, 200, shift=-3.0, seed=9)
        assert drifted(client, topology) == ["x", "y", "y"]


def test_what_cannot_be_read_is_told_once(client: Client, topology: Topology) -> None:
    send(client, "XADD", "penstock:baseline:OK", "*", "data", "no baseline")
    with drifting(client, topology) as (_, beside), structlog.testing.capture_logs() as logs:
        beside.once()
        beside.once()
    assert [each["event"] for each in logs] == ["baselines_not_followed"]


class Told(Drift):
    """A drift worker that hears of a new baseline of y with a message, or is told at its start."""

    def __init__(self, topology: Topology, taken: list[str]) -> None:
        settings: Any = topology.workers["drift"]
        super().__init__(topology, settings, "drift", Lane())
        self._taken = taken  # the messages behind which it was taken over, each by its id
        self._last = ""
        self.heed("OK", SET if taken else None)

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        settled = super().handle(batch)
        self._last = batch[-1].id
        if self._last >= COMMAND:
            self.heed("OK", SET)
        return settled

    def revise(self) -> None:
        before = self.streams["OK"]._followed.state()
        super().revise()
        if self.streams["OK"]._followed.state() == {"version": 1} != before:
            self._taken.append(self._last)


COMMAND = "1600-0"
SET = Baseline(
    stream="OK",
    version=1,
    change="set",
    changed=("measurements.y",),
    by="me",
    at_ms=1,
    fields={
        "measurements.y": FieldBaseline(
            size=1, first="OK/1-0", last="OK/2-0", set_in=1, sketch="AA=="
        )
    },
)


def stepping(client: Client, count: int = 2200) -> list[Entry]:
    """y steps up while its detectors may just have begun anew, and later it gets restless."""
    at = np.arange(count)
    y = np.random.default_rng(3).normal(size=count) * np.where(at < 1500, 1.0, 4.0)
    y += 2.0 * (at >= 750)
    made = [
        Entry("OK", f"{1000 + number}-0", [b"data", reading(y=value)])
        for number, value in enumerate(y.tolist())
    ]
    for entry in made:
        send(client, "XADD", "OK", entry.id, *entry.fields)
    return made


def emitted(client: Client, topology: Topology) -> list[bytes | None]:
    return [entry.get(b"data") for entry in all_entries(client, topology, "DRIFTS")]


def undisturbed(topology: Topology, entries: list[Entry], behind: str) -> list[bytes | None]:
    """What a worker emits that takes the baseline over behind a message, and never dies."""
    handler = Told(topology, [])
    handler.revise()
    upto = [entry.id for entry in entries].index(behind) + 1
    done = handler.handle(entries[:upto])
    handler.heed("OK", SET)
    handler.revise()
    done += handler.handle(entries[upto:])
    return [output.fields[1] for each in done for output in each.outputs]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commit", [11, 13, 15, 20])
def test_a_crash_around_the_step_leaves_events_of_before_or_of_behind_it(
    client: Client, topology: Topology, commit: int, *, after: bool
) -> None:
    entries = stepping(client)
    taken: list[str] = []
    dying = start_worker(client, topology, "drift", Told(topology, taken), starting=False)
    dies_at_commit(dying, commit, after=after)
    dying.thread.start()
    run_until_killed(dying)
    running = start_worker(client, topology, "drift", Told(topology, taken))
    until(lambda: settled(client, topology))
    running.stop()
    found = emitted(client, topology)
    assert len(found) >= 1
    assert found == undisturbed(topology, entries, taken[-1])
