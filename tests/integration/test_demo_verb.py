"""``penstock demo`` as a user calls it: with workers elsewhere, with nothing at all, broken off."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.topology_file import load_topology
from streams.connection import send
from supervisor.demo import book as books
from supervisor.lock import SupervisorLock
from tests.servers.command import command, emptied
from tests.servers.demo import MOST, REFERENCE, ROOT, TOTAL, staffed
from tests.servers.pipeline import SMALL, topology_from, until
from tests.servers.stream_server import StreamServer


def test_a_topology_without_readings_is_refused(tmp_path: Path) -> None:
    tree = json.loads(json.dumps(SMALL).replace("L3EventSchema", "L4IntelSchema"))
    topology_from(tree, tmp_path)
    found = command(tmp_path)("demo")
    assert found.exit_code == 3
    assert "run it with the reference topology" in found.stderr


def test_the_verb_uses_workers_that_run_elsewhere(
    valkey_server: StreamServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        emptied(valkey_server, tmp_path, monkeypatch) as client,
        staffed(client, load_topology(REFERENCE)) as workers,
    ):
        until(lambda: all(worker.standing.ready for worker in workers))
        until(lambda: send(client, "HLEN", "penstock:presence") == len(workers))
        call = ("demo", "--records", str(MOST))
        shown, told = command(ROOT)(*call), command(ROOT)(*call, "--json")
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
