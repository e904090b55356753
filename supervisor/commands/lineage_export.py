"""``penstock lineage export``: the pipeline in the words of other tools."""

import json
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

import typer

from supervisor.context import Context
from supervisor.lineage_options import opened


class Vocabulary(StrEnum):
    """Whose words the export uses."""

    OPENLINEAGE = "openlineage"


def export(
    context: typer.Context,
    words: Annotated[Vocabulary, typer.Argument(help="Whose words to use.")],
    server: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Names the datasets; else where the server is."),
    ] = None,
) -> None:
    """Write the streams, workers and runs as OpenLineage events, one JSON object a line.

    Datasets are called redis://HOST:PORT and the stream's name.

    Example: penstock lineage export openlineage --server redis.internal:6379 > events.jsonl
    """
    import time

    from lineage.openlineage import events, figures

    penstock = Context.of(context)
    topology = penstock.topology()
    address = server or address_of(penstock.server_url())
    with opened() as store:
        known = figures(store)
    for event in events(topology, address, known, int(time.time() * 1000)):
        typer.echo(json.dumps(event, ensure_ascii=False))


def address_of(url: str) -> str:
    """Host and port of a server's URL, the first where there are several; never its password.

    >>> address_of("rediss://user:secret@redis.internal/0")
    'redis.internal:6379'
    """
    host = urlsplit(url).netloc.rpartition("@")[2].split(",")[0]
    name, colon, port = host.rpartition(":")
    return f"{name}:{port}" if colon and port.isdecimal() else f"{host}:6379"
