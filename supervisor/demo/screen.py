"""The progress of a run on a terminal; where nobody looks, it shows nothing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from supervisor.demo.settle import LOOK_EVERY_S, Look


class Screen:
    """Two bars, how much is published and how much the gate has judged, and who is behind."""

    def __init__(self, progress: Progress, total: int, gate: tuple[str, str], before: int) -> None:
        self._progress = progress
        self._gate = gate
        self._before = before
        self._look_at_s = 0.0
        self._published: TaskID = progress.add_task("published", total=total, behind="")
        self._judged: TaskID = progress.add_task("judged", total=total, behind="")

    def published(self, count: int, look: Callable[[], Look]) -> None:
        """So many items are published; every now and then the pipeline is looked at as well."""
        self._progress.update(self._published, completed=count)
        if not self._progress.disable and self._progress.get_time() >= self._look_at_s:
            self._look_at_s = self._progress.get_time() + LOOK_EVERY_S
            self.looked(look())

    def looked(self, look: Look) -> None:
        """The pipeline was looked at."""
        settled = sum(
            count for (worker, of, _), count in look.counters.items() if (worker, of) == self._gate
        )
        behind = next((each for each in look.backlog if each.entries), None)
        said = f"{behind.worker}: {behind.entries:,} to go" if behind else ""
        self._progress.update(self._judged, completed=settled - self._before, behind=said)


@contextmanager
def screen(total: int, gate: tuple[str, str], before: int) -> Iterator[Screen]:
    """A screen on standard error while the block lasts; it leaves nothing behind.

    ``gate`` is the gate and its stream, ``before`` what it had settled when the run began.
    """
    progress = Progress(
        TextColumn("{task.description:>9}"),
        BarColumn(40),
        MofNCompleteColumn(),
        TextColumn("{task.fields[behind]}", style="dim"),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with progress:
        yield Screen(progress, total, gate, before)
