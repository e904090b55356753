"""The healer replaces running processes that stall or grow; no others."""

import signal
from pathlib import Path

import pytest

from schemas.supervisor_event import Action
from streams.presence import Presence
from supervisor.announced import by_process
from supervisor.healer import look_every_s, posts_of
from tests.unit.supervisor.healing import PATIENT_S, Ward, gate_with
from tests.unit.supervisor.stand_ins import Machine, a_machine, topology


def patient(ward: Ward) -> None:
    """It is looked at twice, and has had as long as it may in between."""
    ward.heard()
    ward.machine.clock.at_s += PATIENT_S
    ward.heard()


def test_a_process_that_settles_nothing_is_drained_killed_and_started_again(
    tmp_path: Path,
) -> None:
    with a_machine(obedient=False) as machine:
        ward = Ward(machine, tmp_path, lag=7)
        patient(ward)
        child = ward.child
        assert ward.signals == [signal.SIGTERM]
        assert (child.state, child.ready) == ("stopping", False)
        assert "7 entries wait" in child.reason
        machine.clock.at_s += 3
        child.look()
        child.look()
        assert ward.signals == [signal.SIGTERM, signal.SIGKILL]
        assert child.state == "backing_off"
        machine.clock.at_s += 1
        child.look()
        assert (child.state, child.restarts, len(machine.started)) == ("starting", 1, 2)


@pytest.mark.parametrize("state", ["standby", "replaying", "waiting", "starting", "draining"])
def test_who_does_not_take_entries_now_does_not_stall(
    machine: Machine, tmp_path: Path, state: str
) -> None:
    ward = Ward(machine, tmp_path, lag=7)
    for _ in range(5):
        ward.heard(state=state)
        machine.clock.at_s += PATIENT_S
    assert ward.signals == []


def test_who_never_was_ready_is_left_to_start(machine: Machine, tmp_path: Path) -> None:
    ward = Ward(machine, tmp_path, lag=7, ready=False)
    for _ in range(5):
        ward.silent(PATIENT_S)
    assert ward.signals == []


def test_a_process_past_its_memory_is_drained_and_comes_back(
    machine: Machine, tmp_path: Path
) -> None:
    ward = Ward(machine, tmp_path)
    ward.topology = gate_with(max_memory=2_000_000)
    ward.heard()
    assert ward.signals == []
    ward.heard(rss_bytes=2_000_001)
    assert ward.signals == [signal.SIGTERM]
    ward.child.look()
    machine.clock.at_s += 1
    ward.child.look()
    assert (ward.child.state, len(machine.started)) == ("starting", 2)


def test_who_is_past_its_memory_and_stalls_is_replaced_once_and_has_its_time_to_drain(
    tmp_path: Path,
) -> None:
    with a_machine(obedient=False) as machine:
        ward = Ward(machine, tmp_path, lag=7)
        ward.topology = gate_with(max_memory=2_000_000)
        ward.heard()
        machine.clock.at_s += PATIENT_S
        ward.heard(rss_bytes=2_000_001)
        assert [event.action for event in machine.told] == [Action.MEMORY_LIMIT]
        assert ward.child.reason.startswith("it holds")
        machine.clock.at_s += 19.9
        ward.child.look()
        assert ward.signals == [signal.SIGTERM]
        machine.clock.at_s += 0.1
        ward.child.look()
        assert ward.signals == [signal.SIGTERM, signal.SIGKILL]


def test_a_replaced_process_that_somebody_stops_stays_stopped(
    machine: Machine, tmp_path: Path
) -> None:
    ward = Ward(machine, tmp_path, lag=7)
    patient(ward)
    ward.child.stop()
    ward.child.look()
    machine.clock.at_s += 60
    ward.child.look()
    assert (ward.child.state, len(machine.started)) == ("stopped", 1)


def test_lines_of_workers_or_lanes_that_are_gone_are_no_posts(
    machine: Machine, tmp_path: Path
) -> None:
    ward = Ward(machine, tmp_path)

    def lanes(*lines: Presence) -> list[int]:
        (process,) = by_process(lines)
        return [post.lane for post in posts_of(topology(), process)]

    assert lanes(ward.line(), ward.line(lane=5)) == [0]
    assert lanes(ward.line(worker="gone")) == []


def test_the_least_patience_says_how_often_the_groups_are_looked_at() -> None:
    assert look_every_s(topology()) == 5.0
    assert look_every_s(gate_with(stalled_after=2.0)) == 0.5
