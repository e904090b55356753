"""One worker process: when it is started again, and what is said of its end."""

import json
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.supervisor_event import Action
from supervisor.backoff import Backoff
from supervisor.child import Child, Place, ending
from supervisor.chronicle import Chronicle
from tests.unit.supervisor.stand_ins import a_machine, child_on


@given(st.lists(st.floats(0, 29), max_size=40), st.floats(0, 1))
def test_a_wait_is_at_least_half_of_its_step_and_never_over_thirty_seconds(
    runs: list[float], share: float
) -> None:
    backoff = Backoff(random_share=lambda: share)
    for tries, ran_s in enumerate(runs):
        step_s = min(30.0, 0.5 * 2**tries)
        assert step_s / 2 <= backoff.wait_s(ran_s) <= step_s


def test_a_child_that_ends_is_started_again_after_a_growing_wait(tmp_path: Path) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        for wait_s in (0.5, 1.0, 2.0):
            child.saw(True)
            machine.started[-1].code = -11
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


def test_a_child_that_ran_for_long_waits_shortly_again(tmp_path: Path) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        for _ in range(5):
            child.saw(True)
            machine.started[-1].code = -11
            child.look()
            machine.clock.at_s += 60
            child.look()
        machine.clock.at_s += 31
        child.saw(True)
        machine.started[-1].code = -9
        child.look()
        assert child.waits_s == pytest.approx(0.5)
        assert child.reason == "killed by SIGKILL"


def test_a_crash_is_told_with_the_end_of_its_traceback(tmp_path: Path) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        child.saw(True)
        machine.started[0].say(json.dumps({"event": "worker_started", "level": "info"}))
        machine.started[0].say("Traceback (most recent call last):\nKeyError: 'x'")
        machine.started[0].code = 1
        lines = child.look()
        assert [line.event for line in lines] == ["worker_started", "", ""]
        assert child.reason == "ended with exit code 1: KeyError: 'x'"


@pytest.mark.parametrize("code", [0, 1, 3, 7])
def test_who_ends_by_itself_before_it_was_ready_is_misconfigured_and_told_of_once(
    code: int, tmp_path: Path
) -> None:
    with a_machine() as machine:
        chronicle = Chronicle()
        place = Place("gate")
        child = Child(place, lambda: ["w"], tmp_path / "gate.log", chronicle, machine.around)
        child.start()
        for words in ("KeyError: 'x'", "KeyError: 'x'", "KeyError: 'y'"):
            machine.started[-1].say(words)
            machine.started[-1].code = code
            child.look()
            assert (child.state, child.reason) == ("misconfigured", words)
            machine.clock.at_s += 30
            child.look()
            assert child.state == "starting"
        assert chronicle.counts == {("misconfigured", "gate"): 2}
        machine.started[-1].code = code
        child.look()
        assert child.reason == f"ended with exit code {code} before it was ready, without a word"


@pytest.mark.parametrize(
    ("number", "state"),
    [(signal.SIGSEGV, "misconfigured"), (signal.SIGKILL, "backing_off")],
)
def test_who_dies_twice_in_a_row_before_it_was_ready_is_misconfigured_unless_somebody_kills_it(
    number: signal.Signals, state: str, tmp_path: Path
) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        found = []
        for was_ready in (False, True, False, False):
            if was_ready:
                child.saw(True)
            machine.started[-1].code = -number
            child.look()
            found.append((child.state, child.reason))
            machine.clock.at_s += 30
            child.look()
    killed = f"killed by {number.name}"
    without = " before it was ready, without a word" if state == "misconfigured" else ""
    assert found == [("backing_off", killed)] * 3 + [(state, killed + without)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_who_is_killed_is_misconfigured_where_the_one_before_it_got_no_further(
    number: signal.Signals, tmp_path: Path
) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        machine.started[0].say(went_on(1))
        machine.started[0].code = -number
        child.look()
        assert child.state == "misconfigured"
        assert child.reason == f"killed by {number.name} before it was ready, without a word"


def went_on(restarts: int) -> str:
    said = {"event": "process_ended", "level": "error", "reason": "ended", "restarts": restarts}
    return json.dumps(said)


def test_what_a_keeper_answered_before_it_ended_itself_counts_once_and_is_told_first(
    tmp_path: Path,
) -> None:
    with a_machine() as machine:
        chronicle, place = Chronicle(), Place("gate")
        child = Child(place, lambda: ["w"], tmp_path / "gate.log", chronicle, machine.around)
        child.start()
        child.saw(True, restarts=5)
        machine.started[0].say(went_on(6))
        machine.started[0].code = -signal.SIGKILL
        child.look()
        machine.clock.at_s += 1
        child.look()
        assert (child.state, child.restarts) == ("starting", 7)
        told = [event.why for event in chronicle._waiting]
        assert told == ["its process ended, and its keeper started another", "killed by SIGKILL"]


def test_a_reason_is_a_sentence_and_not_of_a_process_that_was_told_of_before(
    tmp_path: Path,
) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        child.saw(True)
        passed = {"event": "deadline_passed", "level": "error", "handling_s": 61, "worker": "gate"}
        machine.started[0].say(json.dumps(passed))
        child.look()
        assert child.log.last_words() == "deadline passed (handling_s 61, worker gate)"
        machine.started[0].say(went_on(3))
        machine.started[0].code = 1
        child.look()
        assert child.reason == "ended with exit code 1"


def test_what_was_logged_before_a_kill_is_not_its_reason(tmp_path: Path) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        child.saw(True)
        machine.started[0].say(json.dumps({"event": "entry_failed", "level": "error"}))
        machine.started[0].code = -signal.SIGKILL
        child.look()
        assert child.reason == "killed by SIGKILL"


def test_a_misconfigured_child_is_told_in_its_own_words_and_tried_slowly(tmp_path: Path) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        words = {"event": "misconfigured", "level": "error", "error": "no function 'x'"}
        machine.started[0].say(json.dumps(words))
        machine.started[0].code = 3
        (line,) = child.look()
        assert line.loud
        assert (child.state, child.reason) == ("misconfigured", "no function 'x'")
        assert child.waits_s == pytest.approx(30.0)


def test_the_code_of_a_wrong_topology_is_an_ordinary_crash_once_it_was_ready(
    tmp_path: Path,
) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        child.saw(True)
        assert child.state == "running"
        machine.started[0].code = 3
        child.look()
        assert child.state == "backing_off"


def test_a_child_that_was_stopped_stays_stopped(tmp_path: Path) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        child.saw(True)
        child.stop()
        assert (child.state, child.ready) == ("stopping", False)
        child.look()
        machine.clock.at_s += 1000
        child.look()
        assert child.state == "stopped"
        assert child.restarts == 0
        assert machine.started[0].signals == [signal.SIGTERM]


def test_stopping_a_child_that_waits_ends_its_waiting(tmp_path: Path) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        machine.started[0].code = -11
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
        machine.started[0].code = -9
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
        machine.started[0].code = None
        child.kill()
        child.kill()
        assert machine.started[0].signals == [signal.SIGTERM, signal.SIGKILL]
        child.look()
        assert child.state == "stopped"


def test_a_process_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    with a_machine() as machine:
        machine.refusing = True
        child = child_on(machine, tmp_path)
        child.start()
        assert child.state == "backing_off"
        assert "no more processes" in child.reason
        machine.refusing = False
        machine.clock.at_s += 1
        child.look()
        assert child.state == "starting"


def test_a_log_that_has_grown_large_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "gate.log"
    with log.open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
        assert log.stat().st_size == 0
        assert (tmp_path / "gate.log.1").exists()
        log.unlink()
        assert child.look() == []


def test_lines_of_the_log_are_whole_and_ours_are_taken_apart(tmp_path: Path) -> None:
    with a_machine() as machine:
        child = child_on(machine, tmp_path)
        child.start()
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
