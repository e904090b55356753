"""All workers together: which processes there are, rolling restarts, scaling."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from supervisor.child import Place
from supervisor.chronicle import Chronicle
from supervisor.errors import ActionFailed, CannotScale, RestartRefused, UnknownWorker
from supervisor.fleet import Fleet
from supervisor.steps import Steps
from supervisor.worker_command import command_of
from tests.unit.supervisor.stand_ins import Machine, child_on, topology


def fleet_on(
    machine: Machine, directory: Path, only: tuple[str, ...] = (), **changes: Any
) -> Fleet:
    own = {name: changes.pop(name) for name in ("check", "chronicle") if name in changes}
    return Fleet(
        topology(**changes),
        only,
        lambda place: child_on(machine, directory, place),
        now_s=machine.clock,
        **own,
    )


def all_ready(fleet: Fleet) -> None:
    for child in fleet.children.values():
        child.saw(child.pid is not None)


def labels(fleet: Fleet) -> list[str]:
    return [place.label for place in fleet.children]


def test_every_worker_has_its_replicas_however_many_lanes_there_are(
    machine: Machine, tmp_path: Path
) -> None:
    workers = {
        "gate": {"kind": "gate", "routes": {"IN": "OK"}, "rejects_to": "BAD", "replicas": 2},
        "watch": {"kind": "anomaly", "watch": {"OK": {}}, "writes": "OUT", "replicas": 1},
        "off": {"kind": "gate", "routes": {"IN": "OK"}, "rejects_to": "BAD", "replicas": 0},
    }
    fleet = fleet_on(machine, tmp_path, lanes=8, workers=workers)
    fleet.start()
    assert labels(fleet) == ["gate", "gate.replica1", "watch"]
    assert not fleet.ready
    all_ready(fleet)
    assert fleet.ready


def test_only_the_named_workers_run(machine: Machine, tmp_path: Path) -> None:
    fleet = fleet_on(machine, tmp_path, only=("pass",))
    fleet.start()
    assert labels(fleet) == ["pass"]


def test_a_name_that_is_nearly_right_is_suggested(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(UnknownWorker, match="did you mean 'gate'"):
        fleet_on(machine, tmp_path, only=("gats",))


def test_a_rolling_restart_ends_a_process_only_when_the_one_before_is_ready(
    machine: Machine, tmp_path: Path
) -> None:
    fleet = fleet_on(machine, tmp_path)
    fleet.start()
    all_ready(fleet)
    gate, through = machine.started
    steps = fleet.restart([])
    next(steps)
    assert (gate.signals, through.signals) == ([signal.SIGTERM], [])
    fleet.look()
    next(steps)
    assert len(machine.started) == 3
    next(steps)
    assert through.signals == []
    all_ready(fleet)
    next(steps)
    assert through.signals == [signal.SIGTERM]
    fleet.look()
    next(steps)
    all_ready(fleet)
    with pytest.raises(StopIteration):
        next(steps)
    assert fleet.restarts() == {"gate": 0, "pass": 0}


def test_no_process_is_ended_for_one_that_could_not_start(machine: Machine, tmp_path: Path) -> None:
    def check(workers: Sequence[str]) -> Steps:
        yield
        if "pass" in workers:
            raise RestartRefused("no function 'x'")

    chronicle = Chronicle()
    fleet = fleet_on(machine, tmp_path, check=check, chronicle=chronicle)
    fleet.start()
    all_ready(fleet)
    steps = fleet.restart([])
    next(steps)
    with pytest.raises(RestartRefused):
        next(steps)
    assert [process.signals for process in machine.started] == [[], []]
    steps = fleet.restart(["gate"])
    next(steps)
    next(steps)
    assert [process.signals for process in machine.started] == [[signal.SIGTERM], []]
    assert chronicle.counts == {("restart_refused", ""): 1}


def test_only_who_was_ended_is_told_to_be_restarted_by_hand(
    machine: Machine, tmp_path: Path
) -> None:
    chronicle = Chronicle()
    fleet = fleet_on(machine, tmp_path, chronicle=chronicle)
    fleet.start()
    all_ready(fleet)
    steps = fleet.restart([])
    next(steps)
    assert chronicle.counts == {}
    fleet.look()
    next(steps)
    assert chronicle.counts == {("restarted_by_hand", "gate"): 1}
    machine.started[-1].code = 3
    fleet.look()
    with pytest.raises(ActionFailed, match="gate is misconfigured"):
        next(steps)
    assert chronicle.counts == {("restarted_by_hand", "gate"): 1}


def test_a_rolling_restart_stops_at_a_process_that_does_not_come_back(
    machine: Machine, tmp_path: Path
) -> None:
    fleet = fleet_on(machine, tmp_path)
    fleet.start()
    all_ready(fleet)
    steps = fleet.restart([])
    next(steps)
    fleet.look()
    next(steps)
    machine.clock.at_s += 31
    with pytest.raises(
        ActionFailed, match=r"^gate did not become ready within 30 s; its log: .*gate.log$"
    ):
        next(steps)
    assert machine.started[1].signals == []


def test_a_number_whose_processes_are_not_ready_holds_and_says_how_to_take_it_back(
    machine: Machine, tmp_path: Path
) -> None:
    fleet = fleet_on(machine, tmp_path)
    fleet.start()
    all_ready(fleet)
    steps = fleet.scale("gate", 2)
    next(steps)
    machine.clock.at_s += 31
    holds = r"2 process\(es\) stay wanted, .*; 'penstock scale gate 1' takes that back$"
    with pytest.raises(ActionFailed, match=holds):
        next(steps)
    assert fleet.wanted["gate"] == 2
    assert not fleet.ready
    all_ready(fleet)
    assert fleet.ready
    steps = fleet.scale("gate", 2)
    with pytest.raises(StopIteration):
        next(steps)


def test_a_number_that_held_before_is_not_offered_to_be_taken_back(
    machine: Machine, tmp_path: Path
) -> None:
    fleet = fleet_on(machine, tmp_path)
    fleet.start()
    steps = fleet.scale("gate", 1)
    next(steps)
    machine.clock.at_s += 31
    with pytest.raises(ActionFailed, match=r"1 process\(es\) stay wanted, and go on being tried$"):
        next(steps)


def test_scaling_up_and_down_changes_only_that_worker(machine: Machine, tmp_path: Path) -> None:
    fleet = fleet_on(machine, tmp_path)
    fleet.start()
    all_ready(fleet)
    steps = fleet.scale("gate", 3)
    next(steps)
    assert labels(fleet) == ["gate", "pass", "gate.replica1", "gate.replica2"]
    all_ready(fleet)
    with pytest.raises(StopIteration):
        next(steps)
    machine.started[2].code = -9  # an unasked end stays counted when the process is scaled away
    fleet.look()
    machine.clock.at_s += 1
    fleet.look()
    for _ in fleet.scale("gate", 1):
        fleet.look()
    fleet.look()
    assert labels(fleet) == ["gate", "pass"]
    assert fleet.restarts() == {"gate": 1, "pass": 0}


def test_a_worker_that_owns_its_lanes_has_at_most_one_process_a_lane(
    machine: Machine, tmp_path: Path
) -> None:
    fleet = fleet_on(machine, tmp_path, lanes=2)
    fleet.start()
    steps = fleet.scale("pass", 2)
    next(steps)
    assert labels(fleet) == ["gate", "pass", "pass.replica1"]
    with pytest.raises(CannotScale, match=r"owns each of its 2 lane\(s\) alone"):
        fleet.scale("pass", 3)


def test_a_worker_that_owns_its_one_lane_cannot_be_scaled_but_paused(
    machine: Machine, tmp_path: Path
) -> None:
    fleet = fleet_on(machine, tmp_path)
    fleet.start()
    all_ready(fleet)
    with pytest.raises(CannotScale, match=r"owns each of its 1 lane\(s\) alone"):
        fleet.scale("pass", 2)
    for _ in fleet.scale("pass", 0):
        fleet.look()
    fleet.look()
    assert labels(fleet) == ["gate"]
    assert fleet.ready


def test_stopping_tells_every_process_before_it_waits_for_any(
    machine: Machine, tmp_path: Path
) -> None:
    fleet = fleet_on(machine, tmp_path)
    fleet.start()
    fleet.stop()
    assert [process.signals for process in machine.started] == [[signal.SIGTERM]] * 2
    fleet.look()
    assert not fleet.alive
    assert fleet.kill() == []


def test_the_command_names_worker_lanes_and_parent() -> None:
    command = command_of(Path("copy.yaml"), Path("a.yaml"), Place("gate", replica=2))
    assert command[1:5] == ["-P", "-m", "workers", "gate"]
    assert command[5:9] == ["--config", "copy.yaml", "--named", "a.yaml"]
    assert command[command.index("--lanes") + 1] == "all"
    assert "--parent" in command


def test_a_worker_that_was_removed_is_there_again_before_anybody_looked(
    machine: Machine, tmp_path: Path
) -> None:
    fleet = fleet_on(machine, tmp_path, only=("gate",))
    fleet.start()
    machine.end(3)
    fleet.look()
    assert list(fleet.remove("gate")) == [], "it was misconfigured, so there is nobody to wait for"
    steps = fleet.add("gate", 1)
    next(steps)
    all_ready(fleet)
    assert fleet.ready
