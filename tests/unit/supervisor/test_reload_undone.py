"""A reload that fails: what ran before runs again, and what does not is told."""

from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from supervisor.changes import Deed, changes
from supervisor.errors import ActionFailed
from supervisor.parts import applied
from tests.unit.supervisor.edited import SECOND, with_worker
from tests.unit.supervisor.reloading import Scene, without
from tests.unit.supervisor.stand_ins import Machine, topology

_NOT_READY = (
    r"^pass.replica1 did not become ready within 30 s; its log: .*pass.replica1.log; "
    r"undone: gate; nothing of the file is applied$"
)


def test_a_process_that_does_not_become_ready_has_the_reload_undone(
    machine: Machine, tmp_path: Path
) -> None:
    changed = with_worker(with_worker(topology(), "gate", max_batch=9), "pass", max_batch=9)
    scene = Scene(machine, tmp_path, changed)
    with pytest.raises(ActionFailed, match=_NOT_READY):
        scene.run(but="pass.replica1")
    scene.fleet.look()
    assert scene.labels == ["pass", "gate"]
    assert machine.started[1].signals == [], "the old one stayed at work"
    assert scene.files == ("first", "first")
    assert scene.copies == {"first"}
    assert scene.held[-1] == scene.reloader.running == applied(topology())
    assert scene.fleet.topology == topology()
    assert scene.fleet.ready


def two_gates(**settings: Any) -> Topology:
    return with_worker(topology(), "gate", replicas=2, **settings)


def test_a_replica_that_was_swapped_before_another_failed_is_put_back(
    machine: Machine, tmp_path: Path
) -> None:
    scene = Scene(machine, tmp_path, two_gates(max_batch=9), two_gates())
    with pytest.raises(ActionFailed, match=r"did not become ready .*; nothing of the file is"):
        scene.run(late={4})
    swapped, refused, again = machine.started[3:]
    assert (swapped.signals, refused.signals, again.signals) == ([15], [15], [])
    assert scene.began == {"first"}
    assert len(scene.fleet.places("gate")) == 2
    assert scene.reloader.running == applied(two_gates())


def test_a_refused_process_drains_only_when_what_replaces_it_is_ready(
    machine: Machine, tmp_path: Path
) -> None:
    scene = Scene(machine, tmp_path, two_gates(max_batch=9), two_gates())
    with pytest.raises(ActionFailed, match=r"to undo it, gate.* did not become ready"):
        scene.run(late={4, 5})
    assert machine.started[3].signals == [], "it stays, and so does its traffic"
    assert scene.fleet.ready


def test_what_could_not_be_undone_is_told_planned_and_mended(
    machine: Machine, tmp_path: Path
) -> None:
    scene = Scene(machine, tmp_path, two_gates(max_batch=9), two_gates())
    mixed = "max_batch: 9 in gate.replica2, 500 in gate.replica1"
    with pytest.raises(
        ActionFailed, match=f"gate is not as before: {mixed} -> 500; 'penstock plan"
    ):
        scene.run(late={4, 5})
    for found in (two_gates(), two_gates(max_batch=9)):
        (change,) = changes(scene.held[-1], applied(found))
        assert (change.worker, change.deed) == ("gate", Deed.REPLACED)
    scene.file.write_text("first")
    scene.says(applied(two_gates()))
    scene.run()
    assert machine.started[3].signals == [15]
    assert scene.began == {"first"}
    assert changes(scene.held[-1], applied(two_gates())) == []


def test_a_module_whose_old_text_is_gone_is_not_put_back_but_told(
    machine: Machine, tmp_path: Path
) -> None:
    scene = Scene(machine, tmp_path, None, two_gates())
    old = applied(two_gates())
    new = {**old.parts, "gate": {**old.parts["gate"], "module schemas": "another"}}
    scene.says(old.model_copy(update={"parts": new}))
    with pytest.raises(ActionFailed, match="gate is not as before: module schemas has another"):
        scene.run(late={4})
    assert len(machine.started) == 5, "one more with the same text would mend nothing"
    (change,) = changes(scene.held[-1], old)
    assert change.what == ("module schemas has another text",)


def test_a_settings_put_back_with_another_module_says_so(machine: Machine, tmp_path: Path) -> None:
    scene = Scene(machine, tmp_path, None, two_gates())
    old, found = applied(two_gates()), applied(two_gates(max_batch=9))
    new = {**found.parts, "gate": {**found.parts["gate"], "module schemas": "another"}}
    scene.says(found.model_copy(update={"parts": new}))
    with pytest.raises(ActionFailed, match="gate is not as before: module schemas has another"):
        scene.run(late={4})
    assert machine.started[3].signals == [15]
    (change,) = changes(scene.held[-1], old)
    assert change.what == ("module schemas has another text",)


def test_who_was_told_of_a_new_reader_that_failed_is_put_back(
    machine: Machine, tmp_path: Path
) -> None:
    changed = with_worker(topology(), "second", **SECOND)
    scene = Scene(machine, tmp_path, changed)
    with pytest.raises(ActionFailed, match=r"second did not .*; undone: pass; nothing of the file"):
        scene.run(but="second")
    assert [(c.worker, c.deed) for c in scene.told] == [
        ("pass", Deed.REPLACED), ("second", Deed.ADDED),
    ]  # fmt: skip
    assert scene.began == {"first"}
    assert scene.held[-1].parts["pass"]["readers of OK"] == "pass"
    assert "second" not in scene.fleet.wanted


def test_workers_that_were_added_removed_and_scaled_are_as_before(
    machine: Machine, tmp_path: Path
) -> None:
    old = with_worker(topology(), "second", **SECOND, replicas=2)
    changed = with_worker(without(old, "second"), "third", **SECOND)
    scene = Scene(machine, tmp_path, with_worker(changed, "gate", replicas=2), old)
    scene.fleet.by_hand.add("gate")
    with pytest.raises(ActionFailed, match=r"^gate.replica1 did not"):
        scene.run(but="gate.replica1")
    assert scene.fleet.wanted == {"gate": 1, "pass": 1, "second": 2}
    assert scene.fleet.by_hand == {"gate"}
    assert scene.held[-1] == applied(old)
    assert scene.fleet.ready


def test_a_worker_that_does_not_come_back_is_missing_from_what_runs(
    machine: Machine, tmp_path: Path
) -> None:
    old = with_worker(topology(), "second", **SECOND)
    changed = with_worker(without(old, "second"), "gate", replicas=2)
    scene = Scene(machine, tmp_path, changed, old)
    failing = "second is not as before: it does not run; 'penstock plan' shows"
    with pytest.raises(ActionFailed, match=failing):
        scene.run(late={4, 5})
    (change,) = [c for c in changes(scene.held[-1], applied(old)) if c.deed is Deed.ADDED]
    assert change.worker == "second"
