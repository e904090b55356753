"""A changed topology file: what it changes, in which order, and what a failure leaves."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from schemas.topology import Topology
from supervisor import applied_file
from supervisor.changes import Change, Deed, changes
from supervisor.chronicle import Chronicle
from supervisor.errors import ActionFailed, ReloadRefused
from supervisor.fleet import Fleet
from supervisor.inspection import Inspector, look_at
from supervisor.parts import Applied, applied
from supervisor.reload import Reloader
from tests.servers.pipeline import SMALL, topology_from
from tests.unit.supervisor.stand_ins import Machine, a_machine, child_on, topology


@pytest.fixture
def machine() -> Iterator[Machine]:
    with a_machine() as machine:
        yield machine


def with_worker(found: Topology, worker: str, **settings: Any) -> Topology:
    tree = found.model_dump(mode="json", by_alias=True)
    tree["workers"][worker] = {**tree["workers"].get(worker, {}), **settings}
    return Topology.model_validate(tree)


def without(found: Topology, worker: str) -> Topology:
    workers = {name: its for name, its in found.workers.items() if name != worker}
    return found.model_copy(update={"workers": workers})


def told(new: Topology, old: Topology | None = None) -> list[Change]:
    return changes(applied(old or topology()), applied(new))


SECOND = {"kind": "transform", "call": "authors:more", "reads": ["OK"], "writes": ["OUT"]}


def test_the_same_file_changes_nothing_and_what_was_written_down_reads_back(
    tmp_path: Path,
) -> None:
    assert told(topology()) == []
    applied_file.write(tmp_path, applied(topology()))
    assert applied_file.read(tmp_path) == applied(topology())
    assert applied_file.read(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda t: with_worker(t, "gate", max_batch=9), {"gate": "max_batch: 500 -> 9"}),
        (lambda t: with_worker(t, "gate", deadline=9), {"gate": "deadline: 60.0 -> 9.0"}),
        (
            lambda t: t.model_copy(
                update={"delivery": t.delivery.model_copy(update={"lease": 3.0})}
            ),
            {"gate": "delivery.lease: 10.0 -> 3.0", "pass": "delivery.lease: 10.0 -> 3.0"},
        ),
        (
            lambda t: t.model_copy(
                update={
                    "streams": {
                        **t.streams,
                        "OUT": t.streams["OUT"].model_copy(update={"high_water": 5}),
                    }
                }
            ),
            {"pass": "stream OUT.high_water: null -> 5"},
        ),
    ],
)
def test_only_workers_whose_part_changed_are_replaced(
    change: Any, expected: dict[str, str]
) -> None:
    found = told(change(topology()))
    assert {c.worker: c.what[0] for c in found} == expected
    assert {c.deed for c in found} == {Deed.REPLACED}


def test_what_only_the_supervisor_minds_replaces_nobody() -> None:
    (scaled,) = told(with_worker(topology(), "gate", replicas=3))
    assert scaled == Change("gate", Deed.SCALED, ("replicas: 1 -> 3",))
    (adjusted,) = told(with_worker(topology(), "pass", max_memory="1GB"))
    assert adjusted == Change("pass", Deed.ADJUSTED, ("max_memory: none -> 1000000000 bytes",))


def test_who_trims_a_stream_is_replaced_before_its_new_reader_is_added() -> None:
    found = told(with_worker(topology(), "second", **SECOND))
    assert [(c.worker, c.deed) for c in found] == [
        ("pass", Deed.REPLACED),
        ("second", Deed.ADDED),
    ]
    assert "readers of OK: pass -> pass second" in found[0].what
    gone = told(topology(), with_worker(topology(), "second", **SECOND))
    assert [(c.worker, c.deed) for c in gone][-1] == ("second", Deed.REMOVED)


def test_lanes_do_not_change_while_workers_run() -> None:
    with pytest.raises(ReloadRefused, match=r"cannot change from 1 to 2 .* docs/scaling.md"):
        told(topology(lanes=2))


def test_another_text_of_an_authors_module_is_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "authors.py"
    module.write_text("def through(m): return m\n")
    before = applied(topology())
    module.write_text("def through(m): return None\n")
    (change,) = changes(before, applied(topology()))
    assert change == Change("pass", Deed.REPLACED, ("module authors has another text",))


def test_workers_that_do_not_run_here_are_left_out() -> None:
    old = applied(topology(), ("gate",))
    changed = with_worker(with_worker(topology(), "pass", max_batch=9), "second", **SECOND)
    assert changes(old, applied(changed, ("gate",))) == []


class Looking(Inspector):
    """Says what a file says without looking, or that it cannot be used."""

    def __init__(self, found: Topology | None) -> None:
        super().__init__()
        object.__setattr__(self, "found", found)

    def inspect(self, config: Path) -> Generator[None, None, Applied]:
        yield
        found: Topology | None = self.found  # type: ignore[attr-defined]
        if found is None:
            raise ReloadRefused("no YAML")
        return applied(found)


class Scene:
    """A fleet that runs, and a reloader with a file."""

    def __init__(self, machine: Machine, directory: Path, found: Topology | None) -> None:
        self.machine = machine
        self.fleet = Fleet(
            topology(), (), lambda place: child_on(machine, directory, place), now_s=machine.clock
        )
        self.fleet.start()
        self.all_ready()
        self.chronicle = Chronicle()
        self.held: list[Applied] = []
        self.reloader = Reloader(
            Path("a.yaml"), applied(topology()), Looking(found), self.chronicle, self.held.append
        )

    def all_ready(self, *, but: str = "") -> None:
        for place, child in self.fleet.children.items():
            if child.state != "stopping":
                child.saw(child.pid is not None and place.label != but)

    def run(self, *, but: str = "") -> None:
        for _ in self.reloader.begin(self.fleet):
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
    scene.all_ready()
    next(steps)
    assert machine.started[0].signals == [15]
    scene.fleet.look()
    with pytest.raises(StopIteration):
        next(steps)
    scene.fleet.look()
    assert scene.labels == ["pass", "gate.replica1"]
    assert scene.fleet.ready
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


def finished(steps: Generator[None, None, Applied]) -> Applied:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def test_a_file_is_looked_at_in_a_process_of_its_own(tmp_path: Path) -> None:
    topology_from(SMALL, tmp_path)
    file = tmp_path / "streams.yaml"
    assert finished(Inspector().inspect(file)) == look_at(file)
    file.write_text(file.read_text().replace("kind: gate", "kind: gat"))
    with pytest.raises(ReloadRefused, match="did you mean 'gate'"):
        finished(Inspector().inspect(file))


def test_what_a_module_prints_or_raises_at_import_does_no_harm(tmp_path: Path) -> None:
    author = tmp_path / "author_that_prints.py"
    author.write_text("from schemas import L3EventSchema\nprint('[hello')\n")
    streams = {**SMALL["streams"], "IN": {**SMALL["streams"]["IN"]}}
    for name in ("IN", "OK"):
        streams[name] = {**streams[name], "schema": "author_that_prints:L3EventSchema"}
    file = tmp_path / "streams.yaml"
    with file.open("w") as out:
        YAML().dump({**SMALL, "streams": streams}, out)
    assert "IN" in finished(Inspector().inspect(file)).topology.streams
    author.write_text("import os\nos._exit(9)\n")
    with pytest.raises(ReloadRefused, match="ended with 9"):
        finished(Inspector().inspect(file))


def test_a_process_that_cannot_be_started_or_never_ends_refuses_the_file(tmp_path: Path) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError("no more processes")

    with pytest.raises(ReloadRefused, match="no more processes"):
        finished(Inspector(refuse).inspect(tmp_path / "a.yaml"))

    class Endless:
        pid = 1
        code: int | None = None

        def poll(self) -> int | None:
            return self.code

        def send_signal(self, sig: int, /) -> None:
            self.code = -sig

    times = iter([0.0, 1.0, 61.0, 62.0])
    with pytest.raises(ReloadRefused, match="ended with -9"):
        finished(
            Inspector(lambda *_, **__: Endless(), lambda: next(times)).inspect(tmp_path / "a.yaml")
        )


def test_a_second_drift_worker_takes_from_the_first_ones_budget() -> None:
    tree = topology().model_dump(mode="json", by_alias=True)
    drift = {"kind": "drift", "watch": {"OK": {}}, "writes": "OUT"}
    tree |= {"budget": {"false_alarms": 1, "per": "30d"}}
    tree["workers"]["drift"] = drift
    old = Topology.model_validate(tree)
    tree["workers"]["other"] = {**drift, "watch": {"IN": {}}}
    replaced = [c for c in told(Topology.model_validate(tree), old) if c.deed is Deed.REPLACED]
    shares = [what for c in replaced if c.worker == "drift" for what in c.what]
    assert any(what.startswith("share of the budget for OK: ") for what in shares)
