"""A bar on standard error for whatever takes longer than a second; nothing where nobody looks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Told = Callable[[int, int | None, str], None]
"""Takes how much is done, of how much (None: nobody knows), and what is being done."""


@contextmanager
def progress(begun: str = "reading") -> Iterator[Told]:
    """A bar while the block lasts, and then no trace of it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:<36}"), BarColumn(30), MofNCompleteColumn())
    bar = Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(begun, total=None)
        yield lambda done, of, what: bar.update(task, completed=done, total=of, description=what)
