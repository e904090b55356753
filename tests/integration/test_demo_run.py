"""The demo end to end: broken off anywhere and gone on with, its figures still add up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.findings import DriftEvent, Sample, Severity
from schemas.topology import Topology
from schemas.topology_file import load_topology
from streams.connection import Client, send
from streams.keys import Lane
from streams.publish import Outgoing, Publisher
from supervisor.demo import book as books
from supervisor.demo import publish as publishing
from supervisor.demo.broken import broken_messages, publish_broken
from supervisor.demo.play import Player, Settings
from supervisor.demo.publish import Interrupted
from supervisor.demo.settle import Stalled
from tests.servers.command import emptied
from tests.servers.demo import MOST, REFERENCE, assert_all_there, play, player, staffed
from tests.servers.pipeline import all_entries, until, working
from tests.servers.stream_server import StreamServer


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load_topology(REFERENCE)


@pytest.fixture
def client(
    valkey_server: StreamServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    with emptied(valkey_server, tmp_path, monkeypatch) as client:
        yield client


def test_a_run_finds_the_shift_the_anomalies_and_every_broken_message(
    client: Client, topology: Topology, tmp_path: Path
) -> None:
    with staffed(client, topology):
        report, again = play(client, topology, tmp_path)
    assert not again
    assert_all_there(report)
    assert report.reasons["json_invalid"] == 3
    assert {"missing_data", "too_large", "too_deep", "finite_number"} <= set(report.reasons)
    assert report.drift.found is not None
    assert report.drift.found.field == "measurements.flow_l_s"
    assert report.drift.delay is not None
    assert report.drift.delay < 200
    assert {flag.sensor for flag in report.flags} <= {"shuttle", "waterflow"}
    assert report.accuracy.readings == MOST
    book = books.load(tmp_path)
    assert book is not None
    assert book.finished


def test_a_decision_is_traced_back_to_the_runs_own_readings(
    client: Client, topology: Topology, tmp_path: Path
) -> None:
    big = 4_000
    found = player(client, topology, tmp_path)
    book, _ = found.begin(big)
    with staffed(client, topology):
        report = found.play(book, Settings(big))
    assert report.trace is not None
    assert report.trace.steps[0].producer_id is not None
    assert report.trace.steps[0].producer_id.startswith(f"demo/{book.run}/")
    assert report.trace.steps[-1].stream == "L9"
    made_by = {step.worker for step in report.trace.steps if step.worker}
    assert made_by == {"gate", "assess", "hunt", "decide"}


@pytest.mark.parametrize("stop_at", [1, 7, 13])
def test_a_run_that_is_broken_off_is_gone_on_with_and_adds_up(
    stop_at: int, client: Client, topology: Topology, tmp_path: Path
) -> None:
    first = player(client, topology, tmp_path, stop_at)
    book, _ = first.begin(MOST)
    with pytest.raises(Interrupted):
        first.play(book, Settings(MOST))
    with staffed(client, topology):
        report, again = play(client, topology, tmp_path)
    assert (again, report.run) == (True, book.run)
    assert_all_there(report)


def test_being_killed_between_publishing_and_noting_it_doubles_nothing(
    client: Client, topology: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = player(client, topology, tmp_path)
    book, _ = first.begin(MOST)

    def killed(*_: Any) -> None:
        raise SystemExit(-9)

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "save", killed)
        with pytest.raises(SystemExit):
            first.play(book, Settings(MOST))
    assert len(all_entries(client, topology, "L3_IN")) == publishing.CHUNK
    # The gate settles that chunk before the run goes on, and forgets the ids of what it rejects.
    with staffed(client, topology):
        until(lambda: not all_entries(client, topology, "L3_IN"))
        report, again = play(client, topology, tmp_path)
    assert again
    # The readings in doubt were published again, and dropped by the server, for their ids.
    assert_all_there(report)


def test_a_broken_message_is_appended_once_however_often_it_is_tried(
    client: Client, topology: Topology
) -> None:
    message = broken_messages(2_048, 64)[0]
    assert publish_broken(client, Lane(), "L3_IN", message, "demo/r/broken/0")
    with working(client, topology, "gate"):
        until(lambda: all_entries(client, topology, "SHRINK"))
        assert not publish_broken(client, Lane(), "L3_IN", message, "demo/r/broken/0")


def test_what_others_publish_meanwhile_is_told_apart(
    client: Client, topology: Topology, tmp_path: Path
) -> None:
    found = player(client, topology, tmp_path)
    book, _ = found.begin(MOST)
    Publisher(client).publish("L3_IN", Outgoing("{}"))
    for stream in ("ANOMALY_EVENTS", "DRIFT_EVENTS", "L9"):
        send(client, "XADD", stream, "*", "data", "no event and no decision")
    send(client, "XADD", "DRIFT_EVENTS", "*", "data", drift_of("L3/1-1").model_dump_json())
    with staffed(client, topology):
        report = found.play(book, Settings(MOST))
    assert not report.account.balanced
    assert (report.account.others, report.account.rejected) == (1, 13)
    assert sum(report.reasons.values()) == 12
    assert report.drift.found is not None
    assert all(change.number for change in report.drift.others)
    assert report.trace is None, "nobody knows where the entry in L9 came from"


def drift_of(uid: str) -> DriftEvent:
    sample = Sample(size=1, mean=1.0, quantiles=(1.0,))
    return DriftEvent(
        stream="L3",
        field="x",
        detector="adwin",
        statistic="cut",
        value=2.0,
        threshold=1.0,
        effect=1.0,
        message=uid,
        at_ms=1,
        baseline=sample,
        current=sample,
        severity=Severity.LOW,
        explanation="somebody else's",
    )


def test_a_second_run_counts_only_what_is_its_own(
    client: Client, topology: Topology, tmp_path: Path
) -> None:
    with staffed(client, topology):
        first, _ = play(client, topology, tmp_path)
        second, again = play(client, topology, tmp_path)
    assert not again
    assert first.run != second.run
    assert_all_there(second)


def test_a_speed_is_kept(client: Client, topology: Topology, tmp_path: Path) -> None:
    waits: list[float] = []
    found = player(client, topology, tmp_path)

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 3

    slow = Player(client, topology, found.course, tmp_path, wait, lambda: None, lambda: 0.0)
    with pytest.raises(Interrupted):
        slow.play(slow.begin(MOST)[0], Settings(MOST, most_per_s=100.0))
    assert waits == [0.0, 2.0, 4.0]


def test_a_worker_that_is_missing_is_named(
    client: Client, topology: Topology, tmp_path: Path
) -> None:
    found = player(client, topology, tmp_path)
    book, _ = found.begin(MOST)
    with (
        working(client, topology, "gate"),
        pytest.raises(Stalled, match="has not begun to read"),
    ):
        found.play(book, Settings(MOST, stall_s=1.0))
