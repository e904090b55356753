"""``penstock schema list|show|export``: what producers and consumers check payloads against."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.completion import streams
from supervisor.context import Context

if TYPE_CHECKING:
    from schemas.topology import Topology


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    verbs = typer.Typer(no_args_is_help=True, help="The schemas of what flows.")
    verbs.command("list")(list_schemas)
    verbs.command("show")(show)
    verbs.command("export")(export)
    app.add_typer(verbs, name="schema")


def list_schemas(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List the schemas of the topology and those that come with Penstock, with their streams.

    Example: penstock schema list
    """
    from schemas.registry import known_schemas, resolve
    from supervisor.tables import console, table

    streams = _streams(Context.of(context).topology())
    rows = [
        {"schema": name, "version": resolve(name).version, "streams": streams.get(name, [])}
        for name in dict.fromkeys((*streams, *known_schemas()))
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    made = table(["schema", "version", "streams"])
    for row in rows:
        made.add_row(str(row["schema"]), str(row["version"]), ", ".join(row["streams"]) or "-")
    console().print(made)


def _streams(topology: "Topology") -> dict[str, list[str]]:
    """The topology's schemas, each with the streams that carry it."""
    found: dict[str, list[str]] = {}
    for stream, settings in topology.streams.items():
        found.setdefault(settings.schema_name, []).append(stream)
    return found


def show(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="A schema (package.module:Name, or Name alone) or a stream.",
            autocompletion=streams,
        ),
    ],
) -> None:
    """Print the JSON Schema (draft 2020-12) of a schema, or of what a stream carries.

    Example: penstock schema show L3EventSchema
    """
    from schemas.json_schema import text
    from schemas.registry import resolve

    penstock = Context.of(context)
    penstock.find_authors_modules()
    found = name if ":" in name else _full_name(penstock.topology(), name)
    typer.echo(text(resolve(found).json_schema()), nl=False)


def _full_name(topology: "Topology", name: str) -> str:
    from schemas.registry import known_schemas
    from schemas.topology_graph import did_you_mean

    if name in topology.streams:
        return topology.streams[name].schema_name
    schemas = dict.fromkeys((*_streams(topology), *known_schemas()))
    by_name = {schema.partition(":")[2]: schema for schema in schemas}
    if name not in by_name:
        near = did_you_mean(name, [*by_name, *topology.streams])
        raise typer.BadParameter(
            f"there is no schema or stream {name!r}{near}; 'penstock schema list' lists them"
        )
    return by_name[name]


def export(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Where to write; it is made if need be.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths as JSON.")] = False,
) -> None:
    """Write a JSON Schema file for each schema, and asyncapi.json of the whole topology.

    Example: penstock schema export contracts
    """
    from schemas.json_schema import text
    from schemas.registry import known_schemas, resolve
    from schemas.topology_asyncapi import topology_document

    topology = Context.of(context).topology()
    directory.mkdir(parents=True, exist_ok=True)
    pages = {
        f"{name.replace(':', '.')}.schema.json": resolve(name).json_schema()
        for name in dict.fromkeys((*_streams(topology), *known_schemas()))
    }
    pages["asyncapi.json"] = topology_document(topology)
    for file, page in pages.items():
        (directory / file).write_text(text(page), encoding="utf-8")
    written = [str(directory / file) for file in pages]
    typer.echo(json.dumps(written, indent=2) if as_json else "\n".join(written))
