"""Processes as their lines in the presence list describe them, a line a lane."""

import pytest

from streams.presence import Presence, State
from supervisor.announced import by_process, of_this_machine
from tests.unit.supervisor.stand_ins import presence


def line(lane: int, state: State, pid: int = 7) -> Presence:
    changes = {"state": state, "ready": state == "running"}
    return presence("pass", pid, lane=lane).model_copy(update=changes)


@pytest.mark.parametrize(
    ("states", "ready", "state", "lanes"),
    [
        (("running", "running"), True, "running", (0, 1)),
        (("running", "standby"), True, "running", (0,)),
        (("standby", "standby"), True, "standby", ()),
        (("running", "waiting"), False, "waiting", (0,)),
        (("replaying", "running"), False, "replaying", (1,)),
    ],
)
def test_a_process_is_ready_when_each_lane_is_served_by_it_or_by_another(
    states: tuple[State, ...], ready: bool, state: State, lanes: tuple[int, ...]
) -> None:
    (process,) = by_process([line(number, each) for number, each in enumerate(states)])
    assert (process.ready, process.state, process.lanes) == (ready, state, lanes)


def test_processes_of_other_machines_are_told_apart() -> None:
    elsewhere = line(0, "running", 8).model_copy(update={"consumer": "elsewhere-8-x"})
    lines = [line(0, "running"), line(1, "running"), elsewhere]
    assert list(of_this_machine(lines)) == [7]
    assert len(by_process(lines)) == 2
