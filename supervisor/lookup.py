"""Finding streams by what the topology says of them, never by their names."""

from collections.abc import Collection, Iterable

import typer
from pydantic import TypeAdapter, ValidationError

from schemas.model import Uid
from schemas.topology import Topology
from schemas.topology_graph import did_you_mean, watching
from schemas.topology_workers import GateSettings
from schemas.uid import id_order

_UID = TypeAdapter(Uid)
_NUMBERS_OF_AN_ID = 2**64


def is_uid(text: str) -> bool:
    """Whether a message could be called so: ``STREAM/ENTRY-ID``, and the id one that servers take.

    >>> is_uid("L9/1732100000000-0"), is_uid("L9/18446744073709551616-0"), is_uid("L9")
    (True, False, False)
    """
    try:
        _UID.validate_python(text)
    except ValidationError:
        return False
    return text.rpartition("/")[2].isascii() and max(id_order(text)) < _NUMBERS_OF_AN_ID


def known_stream(topology: Topology, stream: str) -> str:
    """The stream's name, if the topology has it.

    Raises typer.BadParameter, with the nearest name, if not.
    """
    if stream not in topology.streams:
        near = did_you_mean(stream, topology.streams)
        has = ", ".join(topology.streams)
        raise typer.BadParameter(f"the topology has no stream {stream!r}{near}; there are {has}")
    return stream


def source_stream(topology: Topology, stream: str) -> str:
    """The stream's name, if producers outside the pipeline write it.

    Raises typer.BadParameter, with the names of those that they do write, if not.
    """
    known_stream(topology, stream)
    sources = [name for name, settings in topology.streams.items() if settings.source]
    if stream not in sources:
        raise typer.BadParameter(
            f"{stream!r} is written by the pipeline itself, so what you published there would pass "
            f"no gate; the sources are {', '.join(sources) or 'none'}"
        )
    return stream


def event_streams(topology: Topology, kinds: Collection[str]) -> list[str]:
    """The streams that the anomaly or drift workers write, each once."""
    return _once(settings.writes for _, settings in watching(topology) if settings.kind in kinds)


def own_streams(topology: Topology) -> list[str]:
    """The streams of our own events: what the supervisor did, what the detectors found."""
    told = [topology.supervisor] if topology.supervisor else []
    return _once([*told, *event_streams(topology, ("anomaly", "drift"))])


def rejection_streams(topology: Topology) -> list[str]:
    """The streams that gates reject to, each once."""
    return _once(
        settings.rejects_to
        for settings in topology.workers.values()
        if isinstance(settings, GateSettings)
    )


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
