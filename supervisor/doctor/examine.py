"""Runs every check, one after another; one that cannot be made says so and stops no other."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from lineage.settings import LineageSettings
from schemas.topology import Topology
from schemas.topology_file import TopologyError
from streams.condition import servers
from streams.connection import Client
from streams.errors import ServerAway, ServerRefused, StreamsError
from supervisor.context import Context
from supervisor.doctor import flow, machine, server
from supervisor.doctor.finding import Check, Finding, Level, Patient, fault, notice, ok

CHECKS: dict[str, Check] = {
    "server": server.version,
    "persistence": server.persistence,
    "memory": server.memory,
    "users": server.users,
    "clock": server.clock,
    "cluster": server.cluster,
    "keys": flow.keys,
    "groups": flow.groups,
    "consumers": flow.left_behind,
    "high water": flow.high_water,
    "workers": flow.workers,
}
"""The checks that ask the stream server, in their order."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A finding and the check that made it."""

    check: str
    finding: Finding


def examine(penstock: Context) -> Iterator[Examined]:
    """Every finding, as soon as it is made."""
    topology: Topology | None = None
    try:
        topology = _topology(penstock)
        yield Examined("topology", ok(f"{penstock.config} is fine"))
    except TopologyError as error:
        for problem in error.problems:
            remedy = "mend the topology file; 'penstock check' reads it again"
            yield Examined("topology", fault(problem, remedy))
    settings = penstock.settings()
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


def _topology(penstock: Context) -> Topology:
    from schemas.topology_file import load_topology
    from supervisor.authors import function_problems

    penstock.find_authors_modules()
    return load_topology(penstock.config, also=function_problems)


def _of_server(penstock: Context, topology: Topology, client: Client) -> Iterator[Examined]:
    patient = Patient(topology, penstock.settings(), client, servers(client, topology), time.time)
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
