"""One worker process: when it is started again, and what is said of its end."""

import json
import signal
from pathlib import Path

import pytest

from schemas.supervisor_event import Action
from supervisor.child import Child, ending
from tests.unit.supervisor.stand_ins import Machine, a_machine, child_on, went_on


def test_a_child_that_ends_is_started_again_after_a_growing_wait(
    machine: Machine, child: Child
) -> None:
    for wait_s in (0.5, 1.0, 2.0):
        child.saw(True)
        machine.end(-11)
        child.look()
        assert child.state == "backing_off"
        assert child.pid is None
        assert child.waits_s == pytest.approx(wait_s)
        machine.clock.at_s += wait_s / 2
        child.look()
        assert child.state == "backing_off"
        machine.clock.at_s += wait_s / 2
        child.look()
        assert child.state == "starting"
    assert child.restarts == 3


def test_a_child_that_ran_for_long_waits_shortly_again(machine: Machine, child: Child) -> None:
    for _ in range(5):
        child.saw(True)
        machine.end(-11)
        child.look()
        machine.clock.at_s += 60
        child.look()
    machine.clock.at_s += 31
    child.saw(True)
    machine.end(-9)
    child.look()
    assert child.waits_s == pytest.approx(0.5)
    assert child.reason == "killed by SIGKILL"


def test_a_crash_is_told_with_the_end_of_its_traceback(machine: Machine, child: Child) -> None:
    child.saw(True)
    machine.started[0].say(json.dumps({"event": "worker_started", "level": "info"}))
    machine.end(1, "Traceback (most recent call last):\nKeyError: 'x'")
    lines = child.look()
    assert [line.event for line in lines] == ["worker_started", "", ""]
    assert child.reason == "ended with exit code 1: KeyError: 'x'"


def test_what_a_keeper_answered_before_it_ended_itself_counts_once_and_is_told_first(
    machine: Machine, child: Child
) -> None:
    child.saw(True, restarts=5)
    machine.end(-signal.SIGKILL, went_on(6))
    child.look()
    machine.clock.at_s += 1
    child.look()
    assert (child.state, child.restarts) == ("starting", 7)
    told = [event.why for event in machine.told]
    assert told == ["its process ended, and its keeper started another", "killed by SIGKILL"]


def test_a_reason_is_a_sentence_and_not_of_a_process_that_was_told_of_before(
    machine: Machine, child: Child
) -> None:
    child.saw(True)
    passed = {"event": "deadline_passed", "level": "error", "handling_s": 61, "worker": "gate"}
    machine.started[0].say(json.dumps(passed))
    child.look()
    assert child.log.last_words() == "deadline passed (handling_s 61, worker gate)"
    machine.end(1, went_on(3))
    child.look()
    assert child.reason == "ended with exit code 1"


def test_what_was_logged_before_a_kill_is_not_its_reason(machine: Machine, child: Child) -> None:
    child.saw(True)
    machine.end(-signal.SIGKILL, json.dumps({"event": "entry_failed", "level": "error"}))
    child.look()
    assert child.reason == "killed by SIGKILL"


def test_a_child_that_was_stopped_stays_stopped(machine: Machine, child: Child) -> None:
    child.saw(True)
    child.stop()
    assert (child.state, child.ready) == ("stopping", False)
    child.look()
    machine.clock.at_s += 1000
    child.look()
    assert child.state == "stopped"
    assert child.restarts == 0
    assert machine.started[0].signals == [signal.SIGTERM]


def test_stopping_a_child_that_waits_ends_its_waiting(machine: Machine, child: Child) -> None:
    machine.end(-11)
    child.look()
    child.kill()
    assert (child.state, child.waits_s) == ("stopped", None)


@pytest.mark.parametrize("state", ["starting", "running", "replaced", "killed while replaced"])
def test_a_child_that_is_killed_in_any_state_is_started_again(state: str, tmp_path: Path) -> None:
    with a_machine(obedient=False) as machine:
        child = child_on(machine, tmp_path)
        child.start()
        if state != "starting":
            child.saw(True)
        if "replaced" in state:
            child.replace(Action.STALLED, "it stalled", 5.0, {})
        if "while" in state:
            machine.clock.at_s += 6
            child.look()
            child.look()
            assert machine.started[0].signals == [signal.SIGTERM, signal.SIGKILL]
        machine.end(-9)
        for _ in range(4):
            machine.clock.at_s += 1
            child.look()
        assert (child.state, child.restarts, len(machine.started)) == ("starting", 1, 2)
        child.saw(True)
        assert (child.state, child.reason) == ("running", "")


def test_a_child_that_is_killed_twice_is_told_of_once(tmp_path: Path) -> None:
    with a_machine(obedient=False) as machine:
        child = child_on(machine, tmp_path)
        child.start()
        child.stop()
        child.kill()
        child.kill()
        assert machine.started[0].signals == [signal.SIGTERM, signal.SIGKILL]
        assert [event.action for event in machine.told] == [Action.KILLED]
        child.look()
        assert child.state == "stopped"


def test_a_process_that_cannot_be_started_is_tried_again(machine: Machine, tmp_path: Path) -> None:
    machine.refusing = True
    child = child_on(machine, tmp_path)
    child.start()
    assert child.state == "backing_off"
    assert "no more processes" in child.reason
    machine.refusing = False
    machine.clock.at_s += 1
    child.look()
    assert child.state == "starting"


@pytest.mark.parametrize(
    ("set_by_s", "not_before_s"), [(0.0, 5000.0), (3600.0, 5000.0), (-3600.0, 1400.0)]
)
def test_when_it_began_at_the_earliest_is_known_however_the_clock_is_set(
    machine: Machine, tmp_path: Path, set_by_s: float, not_before_s: float
) -> None:
    machine.epoch_s = 5000.0
    child = child_on(machine, tmp_path)
    child.start()
    machine.epoch_s += set_by_s
    child.look()
    assert child.not_before_s == pytest.approx(not_before_s)
    for seconds in (10.0, 3600.0):  # it is set right again, too
        machine.clock.at_s += seconds
        machine.epoch_s += seconds
        child.look()
        machine.epoch_s = 5000.0 + machine.clock.at_s - 100.0
        child.look()
        assert child.not_before_s == pytest.approx(not_before_s)
    machine.end(-9)
    child.look()
    machine.clock.at_s += 60.0
    child.look()
    assert child.not_before_s == machine.epoch_s


def test_a_log_that_has_grown_large_is_put_aside(machine: Machine, tmp_path: Path) -> None:
    log = tmp_path / "gate.log"
    with log.open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    child = child_on(machine, tmp_path)
    child.start()
    assert log.stat().st_size == 0
    assert (tmp_path / "gate.log.1").exists()
    log.unlink()
    assert child.look() == []


def test_lines_of_the_log_are_whole_and_ours_are_taken_apart(
    machine: Machine, child: Child
) -> None:
    machine.started[0].say('[1]\n{"event": "lease_lost", "level": "warning", "error": "gone"}')
    machine.started[0]._log.write(b"half a li")
    machine.started[0]._log.flush()
    plain, ours = child.look()
    assert (plain.text, plain.loud) == ("[1]", False)
    assert (ours.event, ours.words, ours.loud) == ("lease_lost", "gone", True)
    machine.started[0].say("ne")
    assert [line.text for line in child.look()] == ["half a line"]


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert ending(-50) == "killed by signal 50"
