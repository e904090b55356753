"""``penstock check``: whether the topology file can be used, and what it says."""

import json
from typing import Annotated

import typer

from supervisor.context import Context


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(check)


def check(
    context: typer.Context,
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print the graph as a Mermaid flowchart.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the topology, defaults included, as JSON.")
    ] = False,
) -> None:
    """Check the topology file: every key, schema, stream, worker and function; print its graph.

    Nothing is started, and no server is asked. Every problem is listed with its line.

    Example: penstock --config streams.yaml check
    """
    from schemas.topology_file import load_topology
    from schemas.topology_picture import as_mermaid, as_text
    from supervisor.authors import function_problems

    penstock = Context.of(context)
    penstock.find_authors_modules()
    topology = load_topology(penstock.config, also=function_problems)
    if as_json:
        typer.echo(json.dumps(topology.model_dump(mode="json", by_alias=True), indent=2))
    elif mermaid:
        typer.echo(as_mermaid(topology))
    else:
        typer.echo(as_text(topology))
        lanes = f"{topology.lanes} lane" + ("s" if topology.lanes > 1 else "")
        typer.echo(
            f"\n{penstock.config} is fine: {len(topology.streams)} streams, "
            f"{len(topology.workers)} workers, {lanes}"
        )
