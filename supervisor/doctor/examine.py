"""Runs every check, one after another; one that cannot be made says so and stops no other."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lineage.settings import LineageSettings
from schemas.topology import Topology
from schemas.topology_file import TopologyError
from streams.condition import servers
from streams.connection import Client
from streams.errors import ServerAway, ServerRefused, StreamsError
from supervisor import applied_file
from supervisor.context import Context
from supervisor.control import Control
from supervisor.doctor import flow, machine, server
from supervisor.doctor.finding import Check, Finding, Level, Patient, fault, notice, ok
from supervisor.doctor.stranded import stranded
from supervisor.errors import ActionFailed, NotRunning, ReloadRefused
from supervisor.inspection import Inspector
from supervisor.lock import SupervisorLock
from supervisor.overview import WorkerView

CHECKS: dict[str, Check] = {
    "server": server.version,
    "persistence": server.persistence,
    "memory": server.memory,
    "users": server.users,
    "clock": server.clock,
    "cluster": server.cluster,
    "keys": flow.keys,
    "streams": stranded,
    "groups": flow.groups,
    "consumers": flow.left_behind,
    "high water": flow.high_water,
    "workers": flow.workers,
}
"""The checks that ask the stream server, in their order."""

_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Examined:
    """A finding and the check that made it."""

    check: str
    finding: Finding


def examine(penstock: Context) -> Iterator[Examined]:
    """Every finding, as soon as it is made."""
    topology: Topology | None = None
    try:
        topology = penstock.outline()
        for finding in _authors_code(penstock.config, list(topology.workers)):
            yield Examined("topology", finding)
    except TopologyError as error:
        for problem in error.problems:
            remedy = "mend the topology file; 'penstock check' reads it again"
            yield Examined("topology", fault(problem, remedy))
    settings = penstock.settings()
    topology = topology or _running(settings.data_dir)
    yield Examined("disk", machine.disk(settings.data_dir))
    for finding in machine.graph(LineageSettings()):
        yield Examined("lineage", finding)
    if topology is None:
        return
    try:
        client = penstock.client()
    except StreamsError as error:
        yield Examined("server", fault(str(error), _remedy(error)))
        return
    with client:
        yield from _of_server(penstock, topology, client)


def _remedy(error: StreamsError) -> str:
    if isinstance(error, ServerAway):
        return "see whether it runs and what its log says, or see PENSTOCK_REDIS_URL"
    return "start it: penstock up; or see PENSTOCK_REDIS_URL"


def _authors_code(config: Path, workers: list[str]) -> Iterator[Finding]:
    """Whether all that workers need can be imported; what that does is not done to us."""
    try:
        for _ in Inspector().inspect(config, config, workers):
            time.sleep(_PAUSE_S)
        yield ok(f"{config} is fine")
    except ReloadRefused as error:
        for problem in error.problems:
            remedy = "mend it; 'penstock check' reads it again. What runs goes on as it was loaded"
            yield fault(problem, remedy)


def _running(data_dir: Path) -> Topology | None:
    """The topology that a supervisor applied and runs, whatever became of its file."""
    applied = applied_file.read(data_dir) if SupervisorLock(data_dir).held() else None
    return applied.topology if applied else None


def _supervised(data_dir: Path) -> dict[str, WorkerView] | None:
    """The workers as their supervisor sees them; None where none runs.

    Raises NotRunning or ActionFailed where it does not answer.
    """
    if not SupervisorLock(data_dir).held():
        return None
    return {worker.worker: worker for worker in Control(data_dir).overview().workers}


def _of_server(penstock: Context, topology: Topology, client: Client) -> Iterator[Examined]:
    settings = penstock.settings()
    supervised: dict[str, WorkerView] | None = {}
    try:
        supervised = _supervised(settings.data_dir)
    except (NotRunning, ActionFailed) as error:
        remedy = f"see {settings.data_dir / 'logs' / 'supervisor.log'}; and: penstock status"
        yield Examined("supervisor", fault(str(error), remedy))
    lanes = servers(client, topology)
    patient = Patient(topology, settings, client, lanes, time.time, supervised)
    for name, check in CHECKS.items():
        for finding in checked(check, patient):
            yield Examined(name, finding)


def checked(check: Check, patient: Patient) -> Iterator[Finding]:
    """What a check finds; where the server keeps it from looking, that is the finding."""
    try:
        yield from check(patient)
    except ServerAway as error:
        yield fault(str(error), "see whether the server runs, and its log")
    except ServerRefused as error:
        remedy = "ask as a user who may: 'penstock acl' has penstock-doctor"
        yield notice(f"this could not be looked at: {error}", remedy)
    except StreamsError as error:
        yield notice(f"this could not be looked at: {error}", "see what else is told")


def worst(found: list[Examined]) -> Level:
    """The gravest level of all."""
    return max((each.finding.level for each in found), key=lambda level: level.rank)
