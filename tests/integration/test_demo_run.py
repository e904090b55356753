"""The demo end to end: broken off anywhere and gone on with, its figures still add up."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.findings import DriftEvent, Sample, Severity
from schemas.topology import Topology
from schemas.topology_file import load_topology
from streams.connection import Client, send
from streams.keys import Lane
from streams.publish import Outgoing, Publisher
from supervisor.cli import app
from supervisor.demo import book as books
from supervisor.demo import publish as publishing
from supervisor.demo.broken import broken_messages, publish_broken
from supervisor.demo.course import course_of
from supervisor.demo.play import Player, Settings
from supervisor.demo.publish import Interrupted
from supervisor.demo.report import Report
from supervisor.demo.settle import Stalled
from supervisor.lock import SupervisorLock
from tests.servers.pipeline import SMALL, Running, all_entries, topology_from, until, working
from tests.servers.stream_server import StreamServer

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "streams.yaml"
MOST = 1_000  # readings of each of the two sensors
TOTAL = 2 * MOST + 12


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load_topology(REFERENCE)


@pytest.fixture
def client(
    valkey_server: StreamServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    monkeypatch.setenv("PENSTOCK_REDIS_URL", valkey_server.url)
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path))
    with valkey_server.client() as client:
        send(client, "FLUSHALL")
        yield client


@contextmanager
def staffed(client: Client, topology: Topology) -> Iterator[list[Running]]:
    """All workers of the topology while the block lasts; at its end all stop at once."""
    with working(client, topology, *topology.workers) as workers:
        yield workers
        for worker in workers:
            worker.standing.stopping.set()


class Waiting:
    """Waits for real where that is needed, and says stop at the wait of a given number."""

    def __init__(self, stop_at: int | None = None) -> None:
        self._left = stop_at

    def __call__(self, seconds: float) -> bool:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                return True
        return threading.Event().wait(min(seconds, 0.02))


def player(
    client: Client, topology: Topology, directory: Path, stop_at: int | None = None
) -> Player:
    course = course_of(topology, REFERENCE)
    return Player(client, topology, course, directory, Waiting(stop_at), lambda: None)


def play(client: Client, topology: Topology, directory: Path) -> tuple[Report, bool]:
    found = player(client, topology, directory)
    book, again = found.begin(MOST)
    return found.play(book, Settings(MOST)), again


def assert_all_there(report: Report) -> None:
    account = report.account
    assert account.balanced
    assert (account.published, account.valid, account.rejected) == (TOTAL, 2 * MOST, 12)
    assert (account.duplicates, account.dead, account.others) == (0, 0, 0)
    assert sum(report.reasons.values()) == 12


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


def test_a_topology_without_readings_is_refused(tmp_path: Path) -> None:
    tree = json.loads(json.dumps(SMALL).replace("L3EventSchema", "L4IntelSchema"))
    topology_from(tree, tmp_path)
    found = CliRunner().invoke(app, ["--config", str(tmp_path / "streams.yaml"), "demo"])
    assert found.exit_code == 3
    assert "run it with the reference topology" in found.stderr


def test_the_verb_uses_workers_that_run_elsewhere(
    client: Client, topology: Topology, tmp_path: Path
) -> None:
    with staffed(client, topology) as workers:
        until(lambda: all(worker.standing.ready for worker in workers))
        until(lambda: send(client, "HLEN", "penstock:presence") == len(workers))
        call = ["--config", str(REFERENCE), "demo", "--records", str(MOST)]
        shown = CliRunner().invoke(app, call)
        told = CliRunner().invoke(app, [*call, "--json"])
    assert shown.exit_code == 0, shown.output
    assert f"in {TOTAL:,} = valid {2 * MOST:,} + rejected 12" in shown.stdout
    assert json.loads(told.stdout)["in"] == TOTAL
    assert not (tmp_path / "demo-up.log").exists()


def demo(directory: Path, *options: str) -> subprocess.Popen[str]:
    """The command as a user starts it, on a machine with nothing else."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
    return subprocess.Popen(
        [
            sys.executable, "-m", "supervisor", "--config", str(REFERENCE),
            "demo", "--json", "--records", str(MOST), *options,
        ],
        env=environment | {"PENSTOCK_DATA_DIR": str(directory)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=90)
    finally:
        process.kill()
    return process.returncode, out, err


def test_with_nothing_running_it_starts_a_pipeline_and_ctrl_c_breaks_it_off_in_good_order(
    tmp_path: Path,
) -> None:
    process = demo(tmp_path, "--speed", "400")
    until(lambda: (book := books.load(tmp_path)) and book.published, what="the first chunk")
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert (code, out) == (130, "")
    assert "'penstock demo' goes on with this run" in err
    begun = books.load(tmp_path)
    assert begun is not None
    assert 0 < begun.published < TOTAL
    assert not SupervisorLock(tmp_path).held(), "its own pipeline ended with it"

    code, out, err = ended(demo(tmp_path))
    assert code == 0, err
    assert f"Going on with run {begun.run}" in err
    told = json.loads(out)
    assert (told["in"], told["valid"], told["rejected"]) == (TOTAL, 2 * MOST, 12)
    assert sum(told["reasons"].values()) == 12
    assert told["drift_events"] >= 1
    assert not SupervisorLock(tmp_path).held()
