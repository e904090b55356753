"""Whether a process does anything at all, as the system tells it and not the process itself."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")

Effort = Callable[[int], int | None]
"""What the process that a keeper has forked has done so far, by the keeper's pid."""


def effort_ns(keeper: int) -> int | None:
    """Processor time that the process which works for a keeper has used so far, in nanoseconds.

    None while nobody works for it, and where the system does not tell, or has the files and does
    not count. A process whose threads only sleep and wake uses some; one that stands still, or
    waits for ever, uses none.
    """
    try:
        forked = (_PROC / str(keeper) / "task" / str(keeper) / "children").read_text().split()
        used = [ns for pid in forked for ns in _threads_ns(_PROC / pid / "task")]
    except OSError:
        return None
    return sum(used) or None  # whoever began has used some


def _threads_ns(tasks: Path) -> Iterator[int]:
    for thread in tasks.iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            yield int((thread / "schedstat").read_text().split()[0])
