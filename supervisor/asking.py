"""Asks before what cannot be undone is done; where nobody can be asked, it is refused."""

import sys
from typing import Annotated

import typer

Yes = Annotated[
    bool,
    typer.Option("--yes", "-y", help="Do not ask; where no terminal is, nothing is done without."),
]


def refuse_unasked(yes: bool) -> None:
    """Refuse, before anything is looked at, what nobody has agreed to and nobody can be asked.

    Raises typer.BadParameter.
    """
    if not (yes or sys.stdin.isatty()):
        raise typer.BadParameter(
            "this cannot be undone, and there is no terminal to ask on; say --yes to have it done"
        )


def ask(question: str, yes: bool) -> None:
    """Have the question answered, unless ``yes`` answers it.

    Raises typer.Abort when it is declined, and typer.BadParameter where nobody can be asked.
    """
    refuse_unasked(yes)
    if not yes:
        typer.confirm(question, abort=True, err=True)
