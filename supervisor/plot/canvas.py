"""A field of character cells, each of eight Braille dots, that becomes lines of text."""

from rich.text import Text

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot, by its row and column in the cell."""


class Canvas:
    """``width`` by ``height`` cells; dots are told from the left and from the top.

    A character that was put into a cell hides its dots; a ground shows where neither is.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._dots = [[0] * width for _ in range(height)]
        self._cells: dict[tuple[int, int], tuple[str, str]] = {}
        self._ground: dict[tuple[int, int], tuple[str, str]] = {}

    def dot(self, x: int, y: int) -> None:
        """Set one of ``2 * width`` by ``4 * height`` dots; one outside is left out."""
        if 0 <= x < 2 * self.width and 0 <= y < 4 * self.height:
            self._dots[y // 4][x // 2] |= _DOTS[y % 4][x % 2]

    def put(self, column: int, row: int, character: str, style: str = "") -> None:
        """Put a character into a cell, before everything else."""
        self._cells[row, column] = (character, style)

    def ground(self, column: int, row: int, character: str, style: str = "") -> None:
        """Put a character behind the dots of a cell."""
        self._ground[row, column] = (character, style)

    def line(self, row: int) -> Text:
        """One line of cells as text."""
        made = Text(no_wrap=True)
        for column in range(self.width):
            made.append(*self._cell(row, column))
        return made

    def _cell(self, row: int, column: int) -> tuple[str, str]:
        if (row, column) in self._cells:
            return self._cells[row, column]
        if self._dots[row][column]:
            return chr(_BRAILLE | self._dots[row][column]), ""
        return self._ground.get((row, column), (" ", ""))
