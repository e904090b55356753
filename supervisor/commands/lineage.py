"""``penstock lineage``: where a message came from, and what became of it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.commands import (
    lineage_cypher,
    lineage_questions,
    lineage_reports,
    lineage_spread,
    lineage_upkeep,
)
from supervisor.context import Context
from supervisor.lineage_options import AsJson, Message, opened, uid_of

if TYPE_CHECKING:
    from lineage.picture import Picture
    from lineage.trace import Trace


class Format(StrEnum):
    """What a picture is written as."""

    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"
    HTML = "html"


Down = Annotated[
    bool, typer.Option("--down", help="What was made from it, not what it was made from.")
]


def register(app: typer.Typer) -> None:
    """Add the family to the command."""
    family = typer.Typer(no_args_is_help=True)
    family.command()(trace)
    family.command()(graph)
    parts = (lineage_questions, lineage_spread, lineage_reports, lineage_cypher, lineage_upkeep)
    for part in parts:
        part.register(family)
    app.add_typer(family, name="lineage", help="Where a message came from, and what became of it.")


def trace(
    context: typer.Context, message: Message, down: Down = False, as_json: AsJson = False
) -> None:
    """Trace a message from its sources to itself, or on to all that was made from it.

    Each line names the worker that made a message, with its version and the message's schema.

    Example: penstock lineage trace L9
    """
    from lineage.render import render_text
    from lineage.trace import to_json
    from supervisor.lineage_show import tell

    found = trace_of(uid_of(Context.of(context), message), down=down)
    if as_json:
        typer.echo(to_json(found))
    else:
        tell(render_text(found).split("\n"))


def graph(
    context: typer.Context,
    message: Message,
    form: Annotated[
        Format, typer.Option("--format", help="mermaid, dot, svg or html.")
    ] = Format.MERMAID,
    down: Down = False,
    most: Annotated[
        int, typer.Option("--nodes", min=1, max=500, help="At most so many nodes, the nearest.")
    ] = 60,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file.")
    ] = None,
) -> None:
    """Draw the history of a message, layer by layer: as text for Mermaid or Graphviz, SVG or HTML.

    Messages that play the same part are one node with their number. SVG and HTML need nothing
    else: no script, no font, no network; their colours follow the reader's light or dark screen.

    Example: penstock lineage graph L9 --format html -o decision.html
    """
    from lineage.picture import picture_of

    picture = picture_of(trace_of(uid_of(Context.of(context), message), down=down), most)
    drawn = _draw(picture, form)
    if output is None:
        typer.echo(drawn, nl=False)
    else:
        output.write_text(drawn, encoding="utf-8")
    if picture.cut:
        typer.echo(f"… {picture.cut}", err=True)


def _draw(picture: "Picture", form: Format) -> str:
    from lineage.picture_html import render_html
    from lineage.picture_svg import render_svg
    from lineage.picture_text import render_dot, render_mermaid

    ways = {
        Format.MERMAID: render_mermaid,
        Format.DOT: render_dot,
        Format.SVG: render_svg,
        Format.HTML: render_html,
    }
    return ways[form](picture)


def trace_of(uid: str, *, down: bool = False) -> "Trace":
    """The trace of a message from the configured store.

    Raises LineageError when the store cannot be read, or does not know the message.
    """
    from lineage.trace import fetch

    with opened() as store:
        return fetch(store, uid, "down" if down else "up")
