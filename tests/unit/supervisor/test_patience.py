"""Waiting for processes: how long for one that drains, and for one that never worked."""

import signal
from pathlib import Path

import pytest

from supervisor.child import Child, Place
from supervisor.errors import ActionFailed
from supervisor.fleet import Fleet
from supervisor.patience import Patience
from supervisor.steps import Steps
from tests.unit.supervisor.stand_ins import Machine, a_machine, child_on, topology

TERM, KILL = signal.SIGTERM, signal.SIGKILL


def signals_after(machine: Machine, child: Child, seconds: float) -> list[int]:
    """What a process was sent so long after it was to end."""
    steps = Patience(20.0, 30.0, machine.clock).end([child])
    next(steps)
    machine.clock.at_s += seconds
    next(steps)
    return machine.started[0].signals


def to_the_end(steps: Steps, fleet: Fleet) -> None:
    for _ in steps:
        fleet.look()


@pytest.mark.parametrize(
    ("worked", "seconds", "signals"),
    [(True, 19.9, [TERM]), (True, 20.1, [TERM, KILL]),
     (False, 1.9, [TERM]), (False, 2.1, [TERM, KILL])],
)  # fmt: skip
def test_only_a_process_that_worked_is_given_time_to_drain(
    tmp_path: Path, worked: bool, seconds: float, signals: list[int]
) -> None:
    with a_machine(obedient=False) as machine:
        child = child_on(machine, tmp_path)
        child.start()
        child.saw(worked)
        assert signals_after(machine, child, seconds) == signals


def test_a_new_process_that_hangs_delays_a_swap_by_no_drain(tmp_path: Path) -> None:
    with a_machine(obedient=False, step=0.1) as machine:
        fleet = Fleet(
            topology(), ("gate",), lambda p: child_on(machine, tmp_path, p), now_s=machine.clock
        )
        fleet.start()
        fleet.children[Place("gate")].saw(True)
        began_s, steps = machine.clock.at_s, fleet.swap("gate")
        with pytest.raises(ActionFailed, match=r"^gate.replica1 did not become ready within 30 s"):
            to_the_end(steps, fleet)
        assert machine.clock.at_s - began_s < 33
        assert machine.started[0].signals == []
