"""Finding the event that is asked for, by its own uid, its message's, or its stream."""

import typer

from schemas.topology import Topology
from streams.connection import Client
from streams.keys import bare
from streams.observe import find, newest
from supervisor.errors import SupervisorError
from supervisor.events import Event, parsed
from supervisor.lookup import event_streams, is_uid, known_stream

SEARCHED = 10_000
"""Newest events of each stream among which a message's own are looked for."""

_KINDS = ("anomaly", "drift")


class NoEvent(SupervisorError):
    """There is no event as it was asked for."""


def event_of(client: Client, topology: Topology, asked: str) -> Event:
    """The event that a uid or a stream names; of several about one message the newest.

    Raises typer.BadParameter for what is no uid and no stream, NoEvent where there is none.
    """
    streams = event_streams(topology, _KINDS)
    stream = bare(asked.rpartition("/")[0]) if "/" in asked else asked
    if "/" in asked and not is_uid(asked):
        raise typer.BadParameter(
            f"{asked!r} is no uid; a uid is STREAM/ENTRY-ID, such as "
            f"{streams[0] if streams else 'DRIFT_EVENTS'}/1732100000000-0"
        )
    known_stream(topology, stream)
    if stream in streams:
        return _named(client, asked) if "/" in asked else _newest(client, topology, asked)
    if "/" not in asked:
        raise typer.BadParameter(
            f"{asked!r} holds no events; those that do are {', '.join(streams) or 'none'}"
        )
    return _about(client, topology, streams, asked)


def _named(client: Client, uid: str) -> Event:
    entry = find(client, uid)
    if entry is None:
        raise NoEvent(f"there is no event {uid!r}, or no more; see 'penstock alerts --json'")
    event = parsed(entry)
    if event is None:
        raise NoEvent(f"the entry {uid!r} is no anomaly and no drift event; see 'penstock tail'")
    return event


def _newest(client: Client, topology: Topology, stream: str) -> Event:
    for entry in reversed(newest(client, topology, stream, 100)):
        event = parsed(entry)
        if event is not None:
            return event
    raise NoEvent(f"the stream {stream!r} has no event so far; see 'penstock status'")


def _about(client: Client, topology: Topology, streams: list[str], message: str) -> Event:
    """The newest event about a message; the end of an incident only where there is no other."""
    ends: list[Event] = []
    for stream in streams:
        for entry in reversed(newest(client, topology, stream, SEARCHED)):
            event = parsed(entry)
            if event is None or event.finding.message != message:
                continue
            if getattr(event.finding, "status", None) != "clear":
                return event
            ends.append(event)
    if ends:
        return ends[0]
    raise NoEvent(
        f"none of the newest {SEARCHED:,} events is about {message!r}; "
        "give the uid of an event, as 'penstock alerts --json' tells it"
    )
