"""A terminal's other screen, on which only the lines that changed are written again."""

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType

_KEYS = {b"\x1b[A": "up", b"\x1b[B": "down", b"\x1bOA": "up", b"\x1bOB": "down"}
_MOST_BYTES = 32


class Screen:
    """Shows one screenful after another.

    A line that is as it was costs nothing, so that a slow terminal keeps up.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: list[str] = []
        self._size = console.size

    def show(self, picture: RenderableType) -> int:
        """Show a picture; return how many characters were written."""
        if self._console.size != self._size:
            self._lines, self._size = [], self._console.size
        with self._console.capture() as captured:
            self._console.print(picture, end="")
        lines = captured.get().splitlines()[: self._size.height]
        changed = list(self._changes(lines))
        self._lines = lines
        out = "".join(changed)
        self._console.file.write(out)
        self._console.file.flush()
        return len(out)

    def _changes(self, lines: list[str]) -> Iterator[str]:
        if not self._lines:
            yield "\x1b[2J"
        for row, line in enumerate(lines):
            if row >= len(self._lines) or line != self._lines[row]:
                yield f"\x1b[{row + 1};1H{line.rstrip()}\x1b[0m\x1b[K"
        if len(lines) < len(self._lines):
            yield f"\x1b[{len(lines) + 1};1H\x1b[J"


class Keyboard:
    """Keys as they are struck, without waiting for a line; none where input is no terminal."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno() if sys.stdin.isatty() else None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While the block lasts, keys come one by one and are not echoed."""
        if self._fd is None:
            yield
            return
        before = termios.tcgetattr(self._fd)
        tty.setcbreak(self._fd)
        try:
            yield
        finally:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, before)

    def wait(self, within_s: float) -> str:
        """The next key (``up``, ``down`` or its letter), or nothing once the time is up."""
        watched = [] if self._fd is None else [self._fd]
        ready, _, _ = select.select(watched, [], [], max(0.0, within_s))
        if not ready or self._fd is None:
            return ""
        struck = os.read(self._fd, _MOST_BYTES)
        if not struck:
            return "q"  # the terminal has gone
        return _KEYS.get(struck[:3]) or struck[:1].decode("ascii", "replace").lower()
