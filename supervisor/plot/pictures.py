"""What is to be seen, without a word on how it is drawn.

Every number is finite; a value that is missing is None.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Band:
    """Between which values something is expected, and who says so."""

    low: float
    high: float
    label: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Values in their order; one of them may be marked, and a change may have begun at one.

    ``mark`` and ``began`` are places in ``values``. ``first`` and ``last`` stand below the ends
    of the axis.
    """

    title: str
    values: tuple[float | None, ...]
    first: str = ""
    last: str = ""
    band: Band | None = None
    mark: int | None = None
    began: int | None = None
    severity: str = "medium"

    def numbers(self) -> Iterator[float]:
        """Every number that the axis must reach."""
        yield from (value for value in self.values if value is not None)
        if self.band is not None:
            yield from (self.band.low, self.band.high)


@dataclass(frozen=True, slots=True)
class Box:
    """One line of boxes: from ``low`` to ``high``, the ``inner`` part, a ``middle``, a ``mark``.

    Of a sample these are its quantiles 0.05 and 0.95, its quartiles, its median and its mean; of
    a field the usual range, the value expected and the one that came.
    """

    label: str
    low: float
    high: float
    inner: tuple[float, float] | None = None
    middle: float | None = None
    mark: float | None = None

    def numbers(self) -> Iterator[float]:
        """Every number that the axis must reach."""
        yield from (self.low, self.high, *(self.inner or ()))
        yield from (value for value in (self.middle, self.mark) if value is not None)


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes one above the other on one axis.

    ``parts`` says what they are made of: from end to end, inside, in the middle, and the mark;
    empty for a part that they have not.
    """

    title: str
    boxes: tuple[Box, ...]
    parts: tuple[str, str, str, str] = ("", "", "", "")
    severity: str = "medium"

    def numbers(self) -> Iterator[float]:
        """Every number that the axis must reach."""
        for box in self.boxes:
            yield from box.numbers()


Picture: TypeAlias = Trace | Boxes
"""Anything that can be drawn."""
