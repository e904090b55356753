"""Checks of what is on the server: streams, groups, consumers, keys, and who works."""

from collections.abc import Iterator

from schemas.topology_graph import readers
from streams.condition import consumers, misused, strays
from streams.observe import stream_states
from streams.presence import present
from supervisor.announced import by_process
from supervisor.doctor.finding import Finding, Patient, fault, notice, ok, warning
from supervisor.doctor.remedies import start, when_it_runs
from supervisor.tide import unpinning


def groups(patient: Patient) -> Iterator[Finding]:
    """Whether a group pins a stream that nobody reads under its name, or is missing."""
    found = 0
    for state in stream_states(patient.client, patient.topology):
        for name in state.strangers:
            found += 1
            yield warning(
                f"group {name!r} on {state.name} is no worker's; what it has not acknowledged is "
                "never trimmed",
                unpinning(state, name),
            )
        there = {group.worker for group in state.groups}
        for worker in readers(patient.topology, state.name):
            if state.length and worker not in there:
                found += 1
                yield warning(
                    f"worker {worker!r} has never read {state.name}, which has {state.length:,} "
                    "entries",
                    start(patient, worker),
                )
    if not found:
        yield ok("every group is a worker's, and every worker has its groups")


def high_water(patient: Patient) -> Iterator[Finding]:
    """Whether more waits anywhere than the stream's mark allows."""
    full = [state for state in stream_states(patient.client, patient.topology) if state.full]
    for state in full:
        mark = patient.topology.streams[state.name].high_water
        yield warning(
            f"{state.name} has more waiting than its high-water mark of {mark:,}; publishers are "
            "slowed down",
            "see 'penstock top' for the worker that lags; give it more processes: penstock scale",
        )
    if not full:
        yield ok("no stream is above its high-water mark")


def left_behind(patient: Patient) -> Iterator[Finding]:
    """Whether consumers that nobody works under are left on a stream."""
    streams = patient.topology.streams
    found = [c for name in streams for c in consumers(patient.client, patient.topology, name)]
    gone = [each for each in found if not each.leased]
    for each in gone:
        place = f"consumer {each.name!r} of {each.group!r} on {each.key} is nobody's"
        if each.pending:
            yield warning(
                f"{place}, and {each.pending:,} entries are pending for it",
                when_it_runs(patient, each.group, "takes them over"),
            )
        else:
            yield notice(place, when_it_runs(patient, each.group, "takes it up or removes it"))
    if not gone:
        number = len(found) or "no"
        yield ok(f"{number} consumers" + (", and somebody works under each" if found else ""))


def keys(patient: Patient) -> Iterator[Finding]:
    """Whether keys of streams lie where no worker looks, or hold something else."""
    found = 0
    for key in misused(patient.client, patient.topology):
        found += 1
        yield fault(
            f"the key {key} is no stream, and workers cannot write to it",
            f"rename it: RENAME {key} {key}.old; or name the stream otherwise in the topology",
        )
    lanes = patient.topology.lanes
    for place, server in patient.servers.items():
        for stray in strays(server, patient.topology):
            found += 1
            yield warning(
                f"{place}: {stray.key} is on none of the {lanes} lane(s), so no worker reads "
                + ("it" if stray.entries is None else f"its {stray.entries:,} entries"),
                "a producer counts lanes otherwise, or 'lanes' was changed: publish them again "
                f"where they belong, then DEL {stray.key}",
            )
    if not found:
        yield ok("every key of a stream is on one of its lanes")


def workers(patient: Patient) -> Iterator[Finding]:
    """Whether each worker that should run does, and takes entries."""
    alive = by_process(present(patient.client, patient.now_s()))
    idle = 0
    for name, settings in patient.topology.workers.items():
        mine = [process for process in alive if process.presence.worker == name]
        if settings.replicas.max and not mine:
            idle += 1
            yield warning(f"no process of worker {name!r} is alive", start(patient, name))
        elif mine and not any(process.ready for process in mine):
            idle += 1
            states = ", ".join(sorted({process.state for process in mine}))
            yield warning(f"worker {name!r} is {states}", "see its log, and 'penstock status'")
    if not idle:
        yield ok(f"{len(alive)} processes of {len(patient.topology.workers)} workers are alive")
