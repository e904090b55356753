"""Lines of columns for any width: where room is short, the least important are left out whole.

A list may print what was left out of a row beneath it, so that nothing is lost and nothing is cut.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from supervisor.tables import folded

_GAP = 2
_INDENT = "    "

Row = Sequence[str | Text]
"""A cell for each column."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; the one with the highest ``rank`` is left out first, one with 0 never."""

    name: str
    rank: int = 0
    right: bool = False


class Grid:
    """Rows that are to fit ``room`` characters; no cell is ever cut."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Row], room: int) -> None:
        self._columns, self._rows = columns, rows
        cells = [[column.name for column in columns], *rows]
        self._widths = [max(_len(row[i]) for row in cells) for i in range(len(columns))]
        self._kept = self._fitting(room)

    @property
    def left_out(self) -> list[str]:
        """The names of the columns that there was no room for."""
        return [c.name for i, c in enumerate(self._columns) if i not in self._kept]

    def lines(self, *, header: bool = True) -> Iterator[Text]:
        """The header, where it is wanted, and a line a row."""
        if header:
            yield self._line([Text(column.name, style="bold") for column in self._columns])
        yield from map(self._line, self._rows)

    def beneath(self, row: Row) -> dict[str, str]:
        """What a row has in the columns that were left out, by their names; empty cells are not."""
        found = {c.name: str(row[i]) for i, c in enumerate(self._columns) if i not in self._kept}
        return {name: value for name, value in found.items() if value}

    def show(self, screen: Console) -> None:
        """Print header and rows; what a row has no room for stands beneath it, indented."""
        head, *lines = self.lines()
        screen.print(head, soft_wrap=True)
        for line, row in zip(lines, self._rows, strict=True):
            screen.print(line, soft_wrap=True)
            left = " · ".join(f"{name} {it}".strip() for name, it in self.beneath(row).items())
            if left:
                told = folded(f"{_INDENT}{left}", screen.width, len(_INDENT))
                screen.print(Text(told, style="dim"), soft_wrap=True)

    def _fitting(self, room: int) -> list[int]:
        kept = list(range(len(self._columns)))
        going = sorted((i for i in kept if self._columns[i].rank), key=self._rank, reverse=True)
        for i in going:
            if sum(self._widths[k] + _GAP for k in kept) - _GAP <= room:
                break
            kept.remove(i)
        return kept

    def _rank(self, column: int) -> int:
        return self._columns[column].rank

    def _line(self, row: Row) -> Text:
        cells = []
        for i in self._kept:
            given = row[i]
            cell = given if isinstance(given, Text) else Text(given)
            blank = Text(" " * (self._widths[i] - cell.cell_len))
            cells.append(blank + cell if self._columns[i].right else cell + blank)
        made = Text(" " * _GAP).join(cells)
        made.rstrip()
        return made


def filled(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[list[Column], list[Row]]:
    """The columns that are not empty throughout, and the rows without the others."""
    kept = [i for i in range(len(columns)) if any(str(row[i]) for row in rows)]
    return [columns[i] for i in kept], [[row[i] for i in kept] for row in rows]


def _len(cell: str | Text) -> int:
    return cell.cell_len if isinstance(cell, Text) else cell_len(cell)
