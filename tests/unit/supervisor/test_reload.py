"""A reload: in which order workers are replaced, and what a failure leaves."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest
import structlog

from schemas.topology import Topology
from supervisor.applied_file import Copies
from supervisor.changes import Change, Deed, changes
from supervisor.child import Child, Place
from supervisor.chronicle import Chronicle
from supervisor.errors import ActionFailed, ReloadRefused
from supervisor.fleet import Fleet
from supervisor.inspection import Inspector
from supervisor.parts import Applied, applied
from supervisor.reload import Reloader
from tests.unit.supervisor.edited import SECOND, with_worker
from tests.unit.supervisor.stand_ins import Machine, a_machine, child_on, topology


@pytest.fixture
def machine() -> Iterator[Machine]:
    with a_machine() as machine:
        yield machine


def without(found: Topology, worker: str) -> Topology:
    workers = {name: its for name, its in found.workers.items() if name != worker}
    return found.model_copy(update={"workers": workers})


class Looking(Inspector):
    """Says what a file says without looking, or that it cannot be used."""

    def __init__(self, found: Topology | None) -> None:
        super().__init__()
        object.__setattr__(self, "found", found)

    def inspect(
        self, copy: Path, named: Path | None = None, workers: Sequence[str] = ()
    ) -> Generator[None, None, Applied]:
        yield
        found: Topology | None = self.found  # type: ignore[attr-defined]
        if found is None:
            raise ReloadRefused("no YAML")
        return applied(found)


class Scene:
    """A fleet that runs, and a reloader with a file."""

    def __init__(self, machine: Machine, directory: Path, found: Topology | None) -> None:
        self.machine = machine
        self.fleet = Fleet(topology(), (), self._child, now_s=machine.clock)
        self.directory = directory
        self.chronicle = Chronicle()
        self.held: list[Applied] = []
        self.told: list[Change] = []
        self.file = directory / "a.yaml"
        self.reloader = Reloader(
            self.file, applied(topology()), Looking(found), self.chronicle, self.held.append,
            Copies(directory, self.file, structlog.get_logger()),
        )  # fmt: skip
        self.reloader.take_text("first")
        self.fleet.start()
        self.all_ready()
        self.file.write_text("second")

    def _child(self, place: Place) -> Child:
        self.reloader.file_for(place)
        return child_on(self.machine, self.directory, place)

    def all_ready(self, *, but: str = "") -> None:
        for place, child in self.fleet.children.items():
            if child.state != "stopping":
                child.saw(child.pid is not None and place.label != but)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(self.reloader.file_of(worker).read_text() for worker in ("gate", "pass"))

    @property
    def copies(self) -> set[str]:
        return {copy.read_text() for copy in (self.directory / "applied").iterdir()}

    def run(self, *, but: str = "") -> None:
        for _ in self.reloader.begin(self.fleet, self.told.extend):
            self.fleet.look()
            self.machine.clock.at_s += 1.0
            self.all_ready(but=but)
        self.fleet.look()

    @property
    def labels(self) -> list[str]:
        return [place.label for place in self.fleet.children]


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


_NOT_READY = (
    r"^pass.replica1 did not become ready within 30 s; its log: .*pass.replica1.log; "
    r"done before: gate; 'penstock plan' shows what is left$"
)


def test_a_process_that_does_not_become_ready_leaves_the_old_one_at_work(
    machine: Machine, tmp_path: Path
) -> None:
    changed = with_worker(with_worker(topology(), "gate", max_batch=9), "pass", max_batch=9)
    scene = Scene(machine, tmp_path, changed)
    with pytest.raises(ActionFailed, match=_NOT_READY):
        scene.run(but="pass.replica1")
    scene.fleet.look()
    assert scene.labels == ["pass", "gate.replica1"]
    assert machine.started[1].signals == []
    assert scene.files == ("second", "first")
    now = scene.reloader.running.topology.workers
    assert (now["gate"].max_batch, now["pass"].max_batch) == (9, 500)
    assert [c.worker for c in changes(scene.held[-1], applied(changed))] == ["pass"]


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
    object.__setattr__(scene.reloader._inspector, "found", everything)
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
