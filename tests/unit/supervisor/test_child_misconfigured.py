"""A worker process that cannot become ready: it is tried slowly, and told of once."""

import json
import signal

import pytest

from supervisor.child import Child
from tests.unit.supervisor.stand_ins import Machine, went_on


@pytest.mark.parametrize("code", [0, 1, 3, 7])
def test_who_ends_by_itself_before_it_was_ready_is_misconfigured_and_told_of_once(
    code: int, machine: Machine, child: Child
) -> None:
    for words in ("KeyError: 'x'", "KeyError: 'x'", "KeyError: 'y'"):
        machine.end(code, words)
        child.look()
        assert (child.state, child.reason) == ("misconfigured", words)
        machine.clock.at_s += 30
        child.look()
        assert child.state == "starting"
    assert machine.chronicle.counts == {("misconfigured", "gate"): 2}
    machine.end(code)
    child.look()
    assert child.reason == f"ended with exit code {code} before it was ready, without a word"


@pytest.mark.parametrize(
    ("number", "state"),
    [(signal.SIGSEGV, "misconfigured"), (signal.SIGKILL, "backing_off")],
)
def test_who_dies_twice_in_a_row_before_it_was_ready_is_misconfigured_unless_somebody_kills_it(
    number: signal.Signals, state: str, machine: Machine, child: Child
) -> None:
    found = []
    for was_ready in (False, True, False, False):
        if was_ready:
            child.saw(True)
        machine.end(-number)
        child.look()
        found.append((child.state, child.reason))
        machine.clock.at_s += 30
        child.look()
    killed = f"killed by {number.name}"
    without = " before it was ready, without a word" if state == "misconfigured" else ""
    assert found == [("backing_off", killed)] * 3 + [(state, killed + without)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_who_is_killed_is_misconfigured_where_the_one_before_it_got_no_further(
    number: signal.Signals, machine: Machine, child: Child
) -> None:
    machine.end(-number, went_on(1))
    child.look()
    assert child.state == "misconfigured"
    assert child.reason == f"killed by {number.name} before it was ready, without a word"


def test_a_misconfigured_child_is_told_in_its_own_words_and_tried_slowly(
    machine: Machine, child: Child
) -> None:
    words = {"event": "misconfigured", "level": "error", "error": "no function 'x'"}
    machine.end(3, json.dumps(words))
    (line,) = child.look()
    assert line.loud
    assert (child.state, child.reason) == ("misconfigured", "no function 'x'")
    assert child.waits_s == pytest.approx(30.0)


def test_the_code_of_a_wrong_topology_is_an_ordinary_crash_once_it_was_ready(
    machine: Machine, child: Child
) -> None:
    child.saw(True)
    assert child.state == "running"
    machine.end(3)
    child.look()
    assert child.state == "backing_off"
