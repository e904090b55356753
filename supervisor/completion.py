"""What the shell may complete: the streams and workers of the topology file.

The file is read and nothing that it names is imported, so that a key press costs little. One that
cannot be read completes to nothing: ``penstock check`` tells why.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from schemas.topology import Topology


def streams(context: typer.Context, incomplete: str) -> list[str]:
    """The streams whose names begin so."""
    found = (name for topology in _topology(context) for name in topology.streams)
    return [name for name in found if name.startswith(incomplete)]


def sources(context: typer.Context, incomplete: str) -> list[str]:
    """The streams that producers write, likewise."""
    found = (item for topology in _topology(context) for item in topology.streams.items())
    return [name for name, stream in found if stream.source and name.startswith(incomplete)]


def workers(context: typer.Context, incomplete: str) -> list[str]:
    """The workers whose names begin so."""
    found = (name for topology in _topology(context) for name in topology.workers)
    return [name for name in found if name.startswith(incomplete)]


def _topology(context: typer.Context) -> "Iterator[Topology]":
    from schemas.topology_file import TopologyError, read_topology

    given = context.find_root().params.get("config")
    config = Path(given or os.environ.get("PENSTOCK_CONFIG") or "streams.yaml")
    with suppress(TopologyError):
        yield read_topology(config).topology
