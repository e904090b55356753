"""``penstock publish``: messages from the command line, a file, or standard input."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from supervisor.completion import sources
from supervisor.context import Context

if TYPE_CHECKING:
    from streams.publish import Outgoing, Published, Publisher
    from supervisor.progress import Told

BATCH = 200
"""Lines published in one step."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The optional fields that every message of one call gets."""

    id: str | None = None
    source: str | None = None
    subject: str | None = None


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(publish)


def publish(
    context: typer.Context,
    stream: Annotated[
        str, typer.Argument(help="A source stream of the topology.", autocompletion=sources)
    ],
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE|-]", help="JSON lines; - is standard input.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="One JSON document.")] = None,
    message_id: Annotated[
        str | None, typer.Option("--id", help="Publishing it twice yields one message.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Who publishes.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="What it is about; its messages stay in their order.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a message.")] = False,
) -> None:
    """Publish messages and print their uids.

    Nothing is validated here: the gate does that, and tells of what it rejects in
    'penstock quarantine list'.

    Example: penstock publish L3_IN readings.jsonl
    """
    if (data is None) == (file is None):
        raise typer.BadParameter("give the messages once: --data JSON, or a FILE (- for stdin)")
    if message_id is not None and data is None:
        raise typer.BadParameter("--id names one message, so it goes with --data only")
    from streams.publish import Publisher
    from supervisor.lookup import source_stream

    penstock = Context.of(context)
    topology = penstock.topology()
    source_stream(topology, stream)
    attributes = Attributes(message_id, source, subject)
    with _lines(data, file) as lines, _progress() as told:
        publisher, count = Publisher.of(penstock.client(), topology), 0
        for published in _published(publisher, stream, lines, attributes):
            _tell(published, as_json)
            count += len(published)
            told(count, None, "publishing")


def _published(
    publisher: "Publisher", stream: str, lines: Iterator[tuple[int, bytes]], given: Attributes
) -> Iterator[Sequence["Published"]]:
    from streams.errors import EntryRefused

    batch: list[tuple[int, bytes]] = []

    def sent() -> Sequence["Published"]:
        try:
            return publisher.publish_batch(stream, [_outgoing(line, given) for _, line in batch])
        except EntryRefused as error:
            span = f"line {batch[0][0]}" + (f" to {batch[-1][0]}" if len(batch) > 1 else "")
            raise EntryRefused(f"nothing was published of {span}: {error}") from error

    for numbered in lines:
        batch.append(numbered)
        if len(batch) == BATCH:
            yield sent()
            batch = []
    if batch:
        yield sent()


def _outgoing(line: bytes, given: Attributes) -> "Outgoing":
    from streams.publish import Outgoing

    return Outgoing(line, id=given.id, source=given.source, subject=given.subject)


@contextmanager
def _lines(data: str | None, file: str | None) -> Iterator[Iterator[tuple[int, bytes]]]:
    """The payloads with their line numbers; blank lines are left out."""
    if data is not None:
        yield iter([(1, data.encode("utf-8", "surrogateescape"))])
    elif file == "-":
        yield _numbered(sys.stdin.buffer)
    else:
        with Path(file or "").open("rb") as opened:
            yield _numbered(opened)


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if stripped:
            yield number, stripped


def _tell(published: Sequence["Published"], as_json: bool) -> None:
    import json

    for one in published:
        if as_json:
            typer.echo(json.dumps({"uid": one.uid, "duplicate": one.duplicate}))
        else:
            typer.echo(f"{one.uid}  (published before)" if one.duplicate else one.uid)


@contextmanager
def _progress() -> "Iterator[Told]":
    """A bar, but where the uids themselves are seen to come."""
    from supervisor.progress import progress

    if sys.stdout.isatty():
        yield lambda done, of, what: None
    else:
        with progress("publishing") as told:
            yield told
