"""What the doctor advises for a worker that does not work, by what is known of it."""

from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.condition import Consumer
from streams.settings import ServerSettings
from supervisor import applied_file
from supervisor.doctor import flow
from supervisor.doctor.finding import Patient
from supervisor.doctor.remedies import start, when_it_runs
from supervisor.overview import ProcessView, WorkerView
from supervisor.parts import Applied
from tests.servers.pipeline import SMALL, topology_from


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(SMALL, tmp_path)


def view(state: str, wanted: int = 1, ready: int = 0, reason: str = "") -> WorkerView:
    process = ProcessView(process="gate", pid=1, state=state, ready=bool(ready), reason=reason)
    return WorkerView(
        worker="gate", kind="gate", wanted=wanted, ready=ready, state=state, restarts=0,
        rss_bytes=0, processes=(process,) if wanted else (),
    )  # fmt: skip


def patient(topology: Topology, data_dir: Path, supervised: Any) -> Patient:
    settings = ServerSettings(data_dir=data_dir)
    none: Any = None
    return Patient(topology, settings, none, {}, lambda: 1.0, supervised)


@pytest.mark.parametrize(
    ("supervised", "said", "unsaid"),
    [
        (None, "penstock up", "restart"),
        ({"gate": view("stopped", wanted=0)}, "penstock scale gate 1", "penstock up"),
        ({"gate": view("running")}, "penstock restart gate", "penstock up"),
        (
            {"gate": view("misconfigured", reason="no 'x'")},
            "(no 'x'), then: penstock restart",
            "up",
        ),
        ({"gate": view("waiting")}, "it is waiting", "penstock up"),
        ({"other": view("running")}, "penstock reload", "penstock up"),
        ({}, "does not answer", "penstock up"),
    ],
    ids=[
        "no supervisor",
        "scaled to 0",
        "frozen",
        "misconfigured",
        "on its way",
        "added",
        "silent",
    ],
)
def test_the_remedy_fits_the_state(
    supervised: Any, said: str, unsaid: str, topology: Topology, tmp_path: Path
) -> None:
    found = start(patient(topology, tmp_path, supervised), "gate")
    assert said in found
    assert unsaid not in found


def test_a_worker_that_was_left_out_is_not_to_be_scaled(topology: Topology, tmp_path: Path) -> None:
    applied_file.write(tmp_path, Applied(topology=topology, parts={}, only=("other",)))
    found = start(patient(topology, tmp_path, {"gate": view("stopped", wanted=0)}), "gate")
    assert "--only gate" in found
    assert "scale" not in found


def test_what_a_running_worker_does_itself_needs_nothing(
    topology: Topology, tmp_path: Path
) -> None:
    found = when_it_runs(
        patient(topology, tmp_path, {"gate": view("running", ready=1)}), "gate", "removes it"
    )
    assert found.startswith("nothing")


@pytest.mark.parametrize("pending", [0, 3])
@pytest.mark.parametrize("supervised", [None, {"gate": view("running")}], ids=["none", "frozen"])
def test_a_consumer_of_a_worker_of_ours_is_never_to_be_deleted(
    pending: int,
    supervised: Any,
    topology: Topology,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Consumer("IN", "gate", "owner", pending, leased=False)
    monkeypatch.setattr(flow, "consumers", lambda _c, _t, stream: [own] if stream == "IN" else [])
    (found,) = flow.left_behind(patient(topology, tmp_path, supervised))
    assert "DELCONSUMER" not in found.remedy
    assert ("penstock restart gate" if supervised else "penstock up") in found.remedy
