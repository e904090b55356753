"""A reload: in which order workers are replaced, and what is kept of the file."""

from pathlib import Path

import pytest

from supervisor.changes import Change, Deed
from supervisor.errors import ActionFailed, ReloadRefused, RestartRefused
from supervisor.parts import applied
from tests.unit.supervisor.edited import SECOND, with_worker
from tests.unit.supervisor.reloading import Scene, without
from tests.unit.supervisor.stand_ins import Machine, topology


def test_a_new_process_is_ready_before_the_old_one_drains(machine: Machine, tmp_path: Path) -> None:
    scene = Scene(machine, tmp_path, with_worker(topology(), "gate", max_batch=9))
    steps = scene.reloader.begin(scene.fleet)
    next(steps)
    next(steps)
    assert [process.signals for process in machine.started] == [[], [], []]
    assert scene.files == ("second", "first")
    scene.all_ready()
    next(steps)
    assert machine.started[0].signals == [15]
    scene.fleet.look()
    with pytest.raises(StopIteration):
        next(steps)
    scene.fleet.look()
    assert scene.labels == ["pass", "gate.replica1"]
    assert scene.fleet.ready
    assert scene.files == ("second", "second")
    assert scene.fleet.topology.workers["gate"].max_batch == 9
    assert scene.chronicle.counts == {("reloaded", "gate"): 1, ("reloaded", ""): 1}


def test_a_worker_that_cannot_start_as_applied_is_told_of_the_file_as_it_is_now(
    machine: Machine, tmp_path: Path
) -> None:
    scene = Scene(machine, tmp_path, None)
    changed = (
        r"^no YAML; nothing was ended; the file has changed since, apply it with 'pen.* reload'$"
    )
    with pytest.raises(RestartRefused, match=changed):
        list(scene.reloader.check(["gate"]))
    scene.file.write_text("first")
    with pytest.raises(RestartRefused, match=r"^no YAML; nothing was ended$"):
        list(scene.reloader.check(["gate"]))


def test_a_file_that_cannot_be_used_changes_nothing(machine: Machine, tmp_path: Path) -> None:
    scene = Scene(machine, tmp_path, None)
    with pytest.raises(ReloadRefused, match="no YAML"):
        scene.run()
    assert [process.signals for process in machine.started] == [[], []]
    assert scene.chronicle.counts == {("reload_refused", ""): 1}
    assert scene.held == []
    assert scene.files == ("first", "first")


def test_a_copy_is_kept_only_for_those_that_run_it(machine: Machine, tmp_path: Path) -> None:
    scene = Scene(machine, tmp_path, None)
    with pytest.raises(ReloadRefused):
        scene.run()
    assert scene.copies == {"first"}
    scene.file.write_text("first")
    with pytest.raises(ReloadRefused):
        scene.run()
    assert scene.copies == {"first"}, "the file that was refused is the one that runs"


def test_a_copy_that_an_unchanged_process_began_with_stays(
    machine: Machine, tmp_path: Path
) -> None:
    scene = Scene(machine, tmp_path, with_worker(topology(), "gate", max_batch=9))
    scene.run()
    assert scene.copies == {"first", "second"}, "pass began with the first"
    everything = with_worker(with_worker(topology(), "gate", max_batch=8), "pass", max_batch=8)
    scene.says(applied(everything))
    scene.file.write_text("third")
    scene.run()
    assert scene.copies == {"third"}


def test_who_asked_is_told_what_changes(machine: Machine, tmp_path: Path) -> None:
    scene = Scene(machine, tmp_path, with_worker(topology(), "gate", max_batch=9))
    scene.run()
    assert scene.told == [Change("gate", Deed.REPLACED, ("max_batch: 500 -> 9",))]


def test_workers_come_and_go_with_the_file(machine: Machine, tmp_path: Path) -> None:
    changed = without(with_worker(topology(), "second", **SECOND, replicas=2), "pass")
    scene = Scene(machine, tmp_path, changed)
    scene.run()
    assert scene.labels == ["gate", "second", "second.replica1"]
    assert scene.fleet.wanted == {"gate": 1, "second": 2}


def test_a_new_worker_that_does_not_become_ready_is_gone_again(
    machine: Machine, tmp_path: Path
) -> None:
    alone = {"kind": "gate", "routes": {"IN": "OK"}, "rejects_to": "BAD"}
    scene = Scene(machine, tmp_path, with_worker(topology(), "door", **alone))
    with pytest.raises(ActionFailed, match="door did not become ready within 30 s"):
        scene.run(but="door")
    scene.fleet.look()
    assert "door" not in scene.labels
    assert "door" not in scene.fleet.topology.workers


def test_a_changed_number_of_replicas_scales_and_ends_what_was_scaled_by_hand(
    machine: Machine, tmp_path: Path
) -> None:
    scene = Scene(machine, tmp_path, with_worker(topology(), "gate", replicas=2))
    scene.fleet.by_hand.add("gate")
    scene.run()
    assert scene.fleet.wanted == {"gate": 2, "pass": 1}
    assert scene.fleet.by_hand == set()
