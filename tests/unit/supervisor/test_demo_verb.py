"""The verb at its edges: signals, being broken off, and what each stream of output gets."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from supervisor.cli import app
from supervisor.commands import demo
from supervisor.context import Context
from supervisor.demo.publish import Interrupted

REFERENCE = Path(__file__).parents[3] / "streams.yaml"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_breaks_the_run_off_in_good_order(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with demo._stopping() as stopping:
        assert not stopping.is_set()
        os.kill(os.getpid(), number)
        assert stopping.wait(10)
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_does_not_wait() -> None:
    with demo._stopping() as stopping:
        stopping.set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_second_sigterm_is_no_reason_for_haste() -> None:
    with demo._stopping() as stopping:
        stopping.set()
        signal.raise_signal(signal.SIGTERM)


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def run() -> None:
        with demo._stopping() as stopping:
            seen.append((stopping.is_set(), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert seen == [(False, before)]


def test_being_broken_off_ends_in_130_and_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken_off(*_: Any) -> Any:
        demo._tell("Going on with run r1: 200 messages were published.")
        raise Interrupted

    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(demo, "_play", broken_off)
    found = CliRunner().invoke(app, ["--config", str(REFERENCE), "demo", "--json"])
    assert (found.exit_code, found.stdout) == (130, "")
    assert found.stderr.count("\n") == 2
    assert "'penstock demo' goes on with this run" in found.stderr


def test_without_a_topology_file_the_reference_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = Context(Path("streams.yaml"))
    assert "L3_IN" in demo._with_a_topology(here).topology().streams
    assert demo._with_a_topology(Context(Path("mine.yaml"))).config == Path("mine.yaml")
    (tmp_path / "streams.yaml").touch()
    assert demo._with_a_topology(here) is here
