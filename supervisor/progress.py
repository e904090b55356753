"""A bar on standard error for whatever takes longer than a second; nothing where nobody looks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

Told = Callable[[int, int | None, str], None]
"""Takes how much is done, of how much (None: nobody knows), and what is being done."""

SILENT_S = 1.0
"""A bar is shown only after this long."""


@contextmanager
def progress(begun: str = "reading") -> Iterator[Told]:
    """A bar while the block lasts, if that is long, and then no trace of it."""
    if not sys.stderr.isatty():
        yield lambda done, of, what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:<36}"), BarColumn(30), MofNCompleteColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(begun, total=None)
    soon = Timer(SILENT_S, bar.start)
    soon.start()
    try:
        yield lambda done, of, what: bar.update(task, completed=done, total=of, description=what)
    finally:
        soon.cancel()
        soon.join()  # a bar that begins just now has begun before it ends
        bar.stop()
