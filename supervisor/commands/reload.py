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
        bool, typer.Option("--json", help="Print a JSON list: worker or stream, deed, what.")
    ] = False,
) -> None:
    """Apply the changed topology file: replace the workers whose part changed, and no other.

    The file is the one that 'penstock up' was given. A new process is ready before the old one
    drains. A file that cannot be used changes nothing, and what fails halfway is undone. SIGHUP to
    the supervisor does the same.
    Of a stream that the file does not name any more, what the server still holds is told.

    Example: penstock reload
    """
    from supervisor import applied_file
    from supervisor.changes import Change, Dropped
    from supervisor.commands.plan import as_text, to_json
    from supervisor.control import Control
    from supervisor.dropped import dropped
    from supervisor.progress import progress

    penstock = Context.of(context)
    control = Control(penstock.settings().data_dir)
    with progress("reloading"):
        before = applied_file.read(control.data_dir)
        answer = control.act("reload", {})  # it alone looks: with its own environment, and once
        now = applied_file.read(control.data_dir)
        gone = dropped(penstock, before, now) if before and now else []
    workers = [Change.of(told) for told in answer["changes"]]
    found: list[Change | Dropped] = [*workers, *gone]
    if as_json:
        typer.echo(to_json(found))
    else:
        typer.echo(f"{as_text(found)}\napplied; ready" if found else "nothing has changed")
