"""How things look on a terminal: tables, times, colours of severities, and bytes made safe.

Nothing that a producer wrote reaches a terminal as a control character.
"""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.table import Table
from rich.text import Text

SEVERITY_STYLE = {"low": "cyan", "medium": "yellow", "high": "red", "critical": "bold white on red"}
"""The style of each severity, lowest first."""

_PIPED_COLUMNS = 160  # what is piped into a file or a pager is not cut to 80 columns
_NO_END = 1_000_000
_WORD = re.compile(r" *[^ ]+")


def console(file: IO[str] | None = None, *, whole: bool = False) -> Console:
    """A console on ``file`` (standard output), in colours where a person looks.

    Where none does, lines are as wide as ``COLUMNS`` says, or 160 characters; with ``whole`` as
    long as what they say. With ``NO_COLOR`` nothing is in bold either.
    """
    out = file or sys.stdout
    piped = _NO_END if whole else _PIPED_COLUMNS
    width = None if out.isatty() else int(os.environ.get("COLUMNS") or piped)
    colours: Any = None if os.environ.get("NO_COLOR") else "auto"
    return Console(
        file=out, width=width, color_system=colours, highlight=False, emoji=False, markup=False
    )


def table(columns: Iterable[str | tuple[str, dict[str, Any]]], *, header: bool = True) -> Table:
    """A table without vertical lines; a column is a name, or a name and its ``rich`` settings."""
    made = Table(box=None, show_header=header, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        name, settings = (column, {}) if isinstance(column, str) else column
        made.add_column(name, **settings)
    return made


def severity_text(severity: str | None) -> Text:
    """A severity in its colour."""
    return Text(severity or "-", style=SEVERITY_STYLE.get(severity or "", ""))


def local_time(at_ms: int) -> str:
    """Milliseconds since the epoch as local date and time, to the second."""
    try:
        at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()
    except (ValueError, OverflowError, OSError):
        return f"{at_ms} ms"  # a producer may choose its entry ids
    return at.strftime("%Y-%m-%d %H:%M:%S")


def text(value: bytes) -> str:
    r"""Bytes as text; those that are no UTF-8 stand there as ``\xNN``.

    >>> print(text(b"caf\xc3\xa9 \xff"))
    café \xff
    """
    return value.decode("utf-8", "backslashreplace")


def printable(value: bytes | str) -> str:
    r"""Text that is safe on a terminal: what is not printable stands there escaped.

    >>> print(printable(b"\x1b[31mred\n"))
    \x1b[31mred\n
    """
    shown = text(value) if isinstance(value, bytes) else value
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def shortened(value: str, most: int) -> str:
    """The text, cut to ``most`` characters with ``…`` as its last.

    >>> shortened("a long story", 7)
    'a long…'
    """
    return value if len(value) <= most else f"{value[: max(0, most - 1)]}…"


def folded(words: str, width: int, indent: int = 4) -> str:
    """Words for a screen of ``width`` cells; what has no room goes on beneath, indented.

    Only a word that no line has room for is broken, so uids can be copied.

    >>> print(folded("drift of amount in ORDERS/17-0 since noon", 24))
    drift of amount in
        ORDERS/17-0 since
        noon
    """
    if cell_len(words) <= width:
        return words
    room, lines, line = max(width, indent + 2), [], ""
    for word in _WORD.findall(words):
        if line.strip() and cell_len(line + word) > room:
            lines.append(line)
            line = " " * indent + word.lstrip()
        else:
            line += word
        while cell_len(line) > room:
            first = chop_cells(line, room)[0]
            lines.append(first)
            line = " " * indent + line[len(first) :]
    return "\n".join([*lines, line])


def pairs(fields: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Names and values in turn as pairs."""
    return [(fields[i], fields[i + 1]) for i in range(0, len(fields) - 1, 2)]


def texts(fields: Sequence[bytes]) -> dict[str, str]:
    """An entry's fields as texts by name; of a name that comes twice, the first."""
    found: dict[str, str] = {}
    for name, value in pairs(fields):
        found.setdefault(text(name), text(value))
    return found
