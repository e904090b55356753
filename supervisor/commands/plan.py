"""``penstock plan``: what a reload would change."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.context import Context
from supervisor.exits import Exit

if TYPE_CHECKING:
    from supervisor.changes import Change, Dropped
    from supervisor.control import Control
    from supervisor.parts import Applied


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(plan)


def plan(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The file; by default the one that runs."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list: worker or stream, deed, what.")
    ] = False,
) -> None:
    """Show what 'penstock reload' would do, and do nothing.

    A topology file is compared with what runs. Of a stream that it does not name any more, what
    the server still holds is told. Exit code 0: nothing would change; 10: something would.

    Example: penstock plan --config streams-new.yaml
    """
    from supervisor.changes import changes
    from supervisor.control import Control
    from supervisor.dropped import dropped
    from supervisor.progress import progress

    penstock = Context.of(context)
    control = Control(penstock.settings().data_dir)
    with progress():
        old, new = compared(control, config or _named(context) or Path(control.here.config))
        found: list[Change | Dropped] = [*changes(old, new), *dropped(penstock, old, new)]
    typer.echo(as_text(found) if not as_json else to_json(found))
    if found:
        raise typer.Exit(Exit.CHANGES)


def _named(context: typer.Context) -> Path | None:
    """The file that ``penstock --config`` or the environment names."""
    source = context.parent.get_parameter_source("config") if context.parent else None
    return None if source is None or source.name == "DEFAULT" else Context.of(context).config


def compared(control: "Control", config: Path) -> "tuple[Applied, Applied]":
    """What runs, and what would by the file.

    Raises TopologyError, and ActionFailed where what runs is not written down.
    """
    from supervisor import applied_file
    from supervisor.errors import ActionFailed
    from supervisor.inspection import look_at

    found = look_at(config)
    running = applied_file.read(control.data_dir)
    if running is None:
        raise ActionFailed(
            f"{applied_file.path_of(control.data_dir)}, where the supervisor writes down what "
            "runs, cannot be read"
        )
    return running, found.model_copy(update={"only": running.only})


def as_text(found: "Sequence[Change | Dropped]") -> str:
    """A line a change, and one for each thing that leads to it or comes of it."""
    if not found:
        return "nothing would change"
    return "\n".join(
        line
        for change in found
        for line in (f"{_name(change)}: {change.deed}", *(f"    {what}" for what in change.what))
    )


def _name(change: "Change | Dropped") -> str:
    from supervisor.changes import Change

    return change.worker if isinstance(change, Change) else f"stream {change.stream}"


def to_json(found: "Sequence[Change | Dropped]") -> str:
    """The changes as a JSON list."""
    import json
    from dataclasses import asdict

    return json.dumps([asdict(change) for change in found], ensure_ascii=False)
