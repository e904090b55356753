"""The ``penstock`` command. Each family of verbs is a module of ``supervisor.commands``.

Families are registered at start, so they import nothing heavy outside their verbs.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from supervisor.commands import (
    acl,
    alerts,
    baseline,
    bench_detectors,
    budget,
    check,
    demo,
    doctor,
    explain,
    lineage,
    plan,
    publish,
    quarantine,
    rehearse,
    reload,
    render,
    replay,
    run,
    schema,
    status,
    tail,
    top,
)
from supervisor.context import Context
from supervisor.edge import edge

_FAMILIES = (
    run,
    plan,
    reload,
    status,
    top,
    doctor,
    check,
    schema,
    tail,
    alerts,
    explain,
    budget,
    baseline,
    publish,
    quarantine,
    lineage,
    replay,
    rehearse,
    acl,
    render,
    demo,
    bench_detectors,
)


_BELOW_ZERO = "{} is no option; if a number is meant, none here is below 0"


class _AtTheEdge(TyperGroup):
    """Runs every verb inside the edge that turns errors into a sentence and an exit code."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        with edge():
            try:
                return super().invoke(ctx)
            except Exception as error:
                option = str(getattr(error, "option_name", ""))
                if not re.fullmatch(r"-\d", option):
                    raise
                said = _BELOW_ZERO.format(option)
                raise typer.BadParameter(said, ctx=getattr(error, "ctx", None)) from error


app = typer.Typer(
    name="penstock",
    cls=_AtTheEdge,
    epilog="Start with: penstock check, then penstock up. Exit codes are listed in docs/cli.md.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"penstock {version('penstock')}")
        raise typer.Exit


@app.callback()
def penstock(
    context: typer.Context,
    config: Annotated[
        Path,
        typer.Option("--config", "-c", envvar="PENSTOCK_CONFIG", help="The topology file."),
    ] = Path("streams.yaml"),
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Guards the boundaries between the layers of an ML pipeline on Redis Streams."""
    context.obj = Context(config)


for _family in _FAMILIES:
    _family.register(app)


def main() -> None:
    """Run the command; the process ends with one of ``supervisor.exits.Exit``."""
    if os.environ.get("NO_COLOR"):
        app.rich_markup_mode = None  # its help is in bold, and that is an escape code too
    app()
