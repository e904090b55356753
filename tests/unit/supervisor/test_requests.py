"""What is asked of the fleet: in its order, each to its end, none for ever."""

from pathlib import Path
from typing import Any

import pytest

from supervisor.errors import ActionFailed, UnknownWorker
from supervisor.fleet import Fleet
from supervisor.requests import Desk, Request
from tests.unit.supervisor.stand_ins import Machine, child_on, topology


def fleet_on(machine: Machine, directory: Path) -> Fleet:
    return Fleet(topology(), (), lambda place: child_on(machine, directory, place))


def test_requests_are_done_one_after_another(machine: Machine, tmp_path: Path) -> None:
    fleet = fleet_on(machine, tmp_path)
    desk, told = Desk(fleet), []
    first = Request(lambda _: iter_of(told, "a", 2))
    second = Request(lambda _: iter_of(told, "b", 1))
    third = Request(lambda fleet: fleet.scale("nobody", 1))
    for request in (first, second, third):
        desk.take(request)
    while desk.busy:
        desk.step()
    desk.step()
    assert told == ["a", "a", "b"]
    assert first.done.result(0) is None
    with pytest.raises(UnknownWorker):
        third.done.result(0)


def test_an_error_that_nobody_expected_ends_its_request_alone(
    machine: Machine, tmp_path: Path
) -> None:
    desk = Desk(fleet_on(machine, tmp_path))
    wrong = Request(lambda _: iter_of([], 1 / 0, 1))  # type: ignore[arg-type]
    right = Request(lambda _: iter_of([], "a", 1))
    for request in (wrong, right):
        desk.take(request)
    while desk.busy:
        desk.step()
    with pytest.raises(ActionFailed, match="an unexpected ZeroDivisionError ended it"):
        wrong.done.result(0)
    assert right.done.result(0) is None


def test_requests_that_are_left_at_the_end_are_refused(machine: Machine, tmp_path: Path) -> None:
    desk = Desk(fleet_on(machine, tmp_path))
    begun, waiting = Request(lambda _: iter_of([], "a", 9)), Request(lambda _: iter_of([], "b", 9))
    desk.take(begun)
    desk.step()
    desk.take(waiting)
    desk.close()
    for request in (begun, waiting):
        with pytest.raises(ActionFailed, match="is ending"):
            request.done.result(0)
    assert not desk.busy


def iter_of(told: list[str], word: str, times: int) -> Any:
    for _ in range(times):
        told.append(word)
        yield
