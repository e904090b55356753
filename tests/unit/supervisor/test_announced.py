"""Processes as their lines in the presence list describe them, a line a lane."""

from dataclasses import dataclass

import pytest

from streams.presence import Presence, State
from supervisor.announced import by_process, of_ours, of_this_machine
from supervisor.child import Place
from tests.unit.supervisor.stand_ins import presence

PLACE = Place("pass")


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
    assert [process.presence.pid for process in of_this_machine(lines)] == [7]
    assert len(by_process(lines)) == 2


@dataclass(frozen=True)
class Ours:
    """A process of ours that began at 100 s or later."""

    place: Place = PLACE
    pid: int = 7
    not_before_s: float = 100.0


def of(worker: str, began_at_s: float) -> Presence:
    changes = {"consumer": f"{line(0, 'running').consumer}{began_at_s:g}", "worker": worker}
    return line(0, "running").model_copy(update={**changes, "started_at_s": began_at_s})


@pytest.mark.parametrize("left_behind", [of("pass", 99.9), of("gate", 101.0), of("pass", 0.0)])
def test_what_a_process_with_the_same_id_left_behind_is_not_taken_for_what_ours_says(
    left_behind: Presence,
) -> None:
    assert of_ours([left_behind], [Ours()]) == {}
    own = of("pass", 100.5)
    for lines in ([left_behind, own], [own, left_behind]):
        assert of_ours(lines, [Ours()])[7].lines == (own,)


def test_of_two_that_may_be_ours_the_newer_one_speaks() -> None:
    older, newer = of("pass", 101.0), of("pass", 102.0)
    for lines in ([older, newer], [newer, older]):
        assert of_ours(lines, [Ours()])[7].lines == (newer,)
