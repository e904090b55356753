"""What a changed topology file changes: whom it replaces, and whom it leaves alone."""

from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from supervisor import applied_file
from supervisor.changes import Change, Deed, changes
from supervisor.errors import ReloadRefused
from supervisor.parts import applied
from tests.unit.supervisor.edited import SECOND, with_worker
from tests.unit.supervisor.stand_ins import topology


def told(new: Topology, old: Topology | None = None) -> list[Change]:
    return changes(applied(old or topology()), applied(new))


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
