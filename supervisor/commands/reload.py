"""``penstock reload``: applies a changed topology file to what runs."""

from typing import Annotated

import typer

from supervisor.context import Context


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(reload)


def reload(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list: worker, deed, what.")
    ] = False,
) -> None:
    """Apply the changed topology file: replace the workers whose part changed, and no other.

    The file is the one that 'penstock up' was given. A new process is ready before the old one
    drains. A file that cannot be used changes nothing. SIGHUP to the supervisor does the same.

    Example: penstock reload
    """
    from supervisor.changes import Change
    from supervisor.commands.plan import as_text, to_json
    from supervisor.control import Control
    from supervisor.progress import progress

    control = Control(Context.of(context).settings().data_dir)
    with progress("reloading"):
        answer = control.act("reload", {})  # it alone looks: with its own environment, and once
    found = [Change.of(told) for told in answer["changes"]]
    if as_json:
        typer.echo(to_json(found))
    else:
        typer.echo(f"{as_text(found)}\napplied; ready" if found else "nothing has changed")
