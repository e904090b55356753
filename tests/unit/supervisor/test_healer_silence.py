"""The healer replaces running processes that are frozen, or silent for too long; no others."""

import signal
from itertools import count
from pathlib import Path

import pytest

from tests.unit.supervisor.healing import PATIENT_S, Ward, gate_with
from tests.unit.supervisor.stand_ins import Machine


@pytest.fixture
def still(machine: Machine, tmp_path: Path) -> Ward:
    """A process that has told of itself once, and uses no processor time."""
    ward = Ward(machine, tmp_path, lambda _: 7)
    ward.heard()
    return ward


@pytest.fixture
def unmeasured(machine: Machine, tmp_path: Path) -> Ward:
    """A process that has told of itself once, where the system tells nothing of its efforts."""
    ward = Ward(machine, tmp_path, lag=7)
    ward.heard()
    return ward


def test_a_process_that_lives_and_tells_nothing_is_replaced(unmeasured: Ward) -> None:
    unmeasured.silent()
    unmeasured.silent(PATIENT_S)
    assert unmeasured.signals == []
    unmeasured.silent(unmeasured.topology.delivery.lease)
    assert unmeasured.signals == [signal.SIGTERM]
    assert "told nothing of itself for 100 s" in unmeasured.child.reason


def test_an_outage_gives_everybody_a_new_start(unmeasured: Ward) -> None:
    for look in (unmeasured.heard, unmeasured.silent, unmeasured.silent):
        unmeasured.machine.clock.at_s += 1000.0
        unmeasured.healer.forget()
        look()
    assert unmeasured.signals == []


def test_a_frozen_process_is_replaced_soon_after_its_lease_ran_out(still: Ward) -> None:
    still.silent()
    still.silent(1.9)
    assert still.signals == []
    assert "told nothing of itself" in still.child.reason
    still.silent(0.1)
    assert still.signals == [signal.SIGTERM]
    assert still.child.reason == (
        "it is frozen: it told nothing of itself for longer than its lease of 10 s, and for 2 s "
        "has used no processor time"
    )


def test_who_is_silent_and_works_has_as_long_as_any_other(machine: Machine, tmp_path: Path) -> None:
    effort = count()
    ward = Ward(machine, tmp_path, lambda _: next(effort))
    ward.heard()
    ward.silent()
    for _ in range(9):
        ward.silent(10.0)
    assert ward.signals == []
    ward.heard()
    assert ward.child.reason == ""


def test_who_rebuilds_its_state_is_not_judged_as_frozen(machine: Machine, tmp_path: Path) -> None:
    ward = Ward(machine, tmp_path, lambda _: 7)
    ward.heard(state="replaying", ready=False)
    ward.silent()
    for _ in range(9):
        ward.silent(10.0)
    assert ward.signals == []
    ward.silent(10.0)
    assert ward.signals == [signal.SIGTERM]


def test_who_was_not_heard_since_an_outage_has_a_lease_to_come_back(still: Ward) -> None:
    still.healer.forget()
    still.silent()
    still.silent(12.9)
    assert still.signals == []
    still.silent(0.1)
    assert still.signals == [signal.SIGTERM]


@pytest.mark.parametrize("outage", [False, True])
def test_a_process_that_follows_another_is_not_frozen_while_it_starts(
    still: Ward, outage: bool
) -> None:
    still.followed()
    if outage:
        still.healer.forget()
    still.silent()
    for _ in range(8):
        still.silent(10.0)
    assert "told nothing of itself for 80 s" in still.child.reason
    still.silent(10.0)
    assert still.signals == []
    still.silent(10.0)
    assert still.signals == [signal.SIGTERM]


def test_imports_have_half_a_minute_however_short_the_patience_is(still: Ward) -> None:
    still.topology = gate_with(stalled_after=1.0)
    still.followed()
    still.silent()
    still.silent(29.9)
    assert still.signals == []
    still.silent(0.1)
    assert still.signals == [signal.SIGTERM]


def test_a_process_that_follows_a_silent_one_has_a_silence_of_its_own(still: Ward) -> None:
    still.silent()
    still.machine.clock.at_s += 1.9
    still.followed()
    still.silent()
    still.silent(PATIENT_S)
    assert still.signals == []
    assert "told nothing of itself for 90 s" in still.child.reason


def test_a_process_that_followed_another_and_was_heard_can_freeze(still: Ward) -> None:
    still.followed()
    still.silent()
    still.heard(restarts=1)
    still.silent()
    still.silent(2.0)
    assert still.signals == [signal.SIGTERM]
    assert "it is frozen" in still.child.reason


def test_who_is_heard_again_after_an_outage_is_no_longer_said_to_be_silent(
    unmeasured: Ward,
) -> None:
    unmeasured.silent()
    assert "told nothing of itself" in unmeasured.child.reason
    unmeasured.healer.forget()
    unmeasured.heard()
    assert (unmeasured.child.state, unmeasured.child.reason) == ("running", "")
