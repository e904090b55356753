"""What the schemas of a topology's streams have to be; importing them is needed to tell."""

from collections.abc import Collection, Iterable, Iterator

from pydantic import BaseModel

from schemas.findings import AnomalyEvent, DriftEvent
from schemas.lineage_record import LineageRecord
from schemas.registry import Schema, SchemaError, SchemaImportError, resolve
from schemas.settlements import DeadLetter, Rejection
from schemas.supervisor_event import SupervisorEvent
from schemas.topology import Topology
from schemas.topology_graph import Problem, graph_problems, touched, watching
from schemas.topology_watch import unwatchable
from schemas.topology_workers import GateSettings


def problems(topology: Topology) -> list[Problem]:
    """Everything that is wrong with a topology, but for the functions of its authors.

    Checked: every schema exists, and one that says why it cannot be imported says it once; what
    Penstock itself writes goes to streams of the right schema; what is watched can be in the
    messages; and all that ``graph_problems`` finds.
    """
    return [*_schema_problems(topology, None, importable=True), *graph_problems(topology)]


def broken_schemas(topology: Topology, workers: Collection[str] | None = None) -> list[Problem]:
    """The schemas that are wrong or do not fit; imports their modules.

    With ``workers`` only those that these need. Without, a module that cannot be imported is no
    problem here: whoever needs it will tell, and nobody else has to care.
    """
    return list(_schema_problems(topology, workers, importable=workers is not None))


def _schema_problems(
    topology: Topology, workers: Collection[str] | None, *, importable: bool
) -> Iterator[Problem]:
    streams: Iterable[str] = topology.streams
    if workers is not None:
        needed = (stream for worker in workers for stream in touched(topology, worker))
        streams = [stream for stream in dict.fromkeys(needed) if stream in topology.streams]
    found: dict[str, Schema] = {}
    yield from _unknown(topology, streams, found, importable=importable)
    yield from _misfits(topology, found)
    yield from unwatchable(topology, found, workers)


def _unknown(
    topology: Topology, streams: Iterable[str], found: dict[str, Schema], *, importable: bool
) -> Iterator[Problem]:
    """The schemas that lead nowhere; the others are put into ``found``, by their streams."""
    broken: set[str] = set()
    for stream in streams:
        name = topology.streams[stream].schema_name
        module = name.partition(":")[0]
        if module in broken:
            continue
        at = ("streams", stream, "schema")
        try:
            found[stream] = resolve(name)
        except SchemaImportError as error:
            broken.add(module)
            if importable:
                yield Problem(at, f"stream {stream!r}: {error}", module)
        except SchemaError as error:
            yield Problem(at, f"stream {stream!r}: {error}")


def _misfits(topology: Topology, schemas: dict[str, Schema]) -> Iterator[Problem]:
    """The streams of Penstock's own messages that have another schema."""
    needed: dict[str, dict[type[BaseModel], str]] = {}
    for stream, model, what in _own_messages(topology):
        needed.setdefault(stream, {})[model] = what
    for stream, models in needed.items():
        schema = schemas.get(stream)
        if schema is None or all(_takes(schema, model) for model in models):
            continue
        right = " | ".join(f"schemas:{model.__name__}" for model in models)
        union = f"a union of {right}" if len(models) > 1 else repr(right)
        yield Problem(
            ("streams", stream, "schema"),
            f"stream {stream!r} gets {' and '.join(models.values())}, so its schema has to be "
            f"{union}, not {schema.name!r}",
        )


def _takes(schema: Schema, model: type[BaseModel]) -> bool:
    return any(issubclass(each, model) for each in schema.models)


def _own_messages(topology: Topology) -> Iterator[tuple[str, type[BaseModel], str]]:
    yield topology.dead_letters, DeadLetter, "the dead letters"
    yield topology.lineage, LineageRecord, "the records of lineage"
    if topology.supervisor is not None:
        yield topology.supervisor, SupervisorEvent, "what the supervisor did"
    for name, settings in topology.workers.items():
        if isinstance(settings, GateSettings):
            yield settings.rejects_to, Rejection, f"the rejections of {name!r}"
    for name, part in watching(topology):
        if part.kind == "anomaly":
            yield part.writes, AnomalyEvent, f"the anomalies of {name!r}"
        else:
            yield part.writes, DriftEvent, f"the drifts of {name!r}"
