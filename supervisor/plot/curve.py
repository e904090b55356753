"""A curve through values as dots on a grid."""

from collections.abc import Iterator, Sequence

from supervisor.plot.scale import Scale


def polyline(
    values: Sequence[float | None], scale: Scale, width: int, height: int
) -> Iterator[tuple[int, int]]:
    """Dots (from the left, from the top) of straight lines through the values, in their order.

    The first value is at the left edge, the last at the right. Where a value is missing the line
    has a gap. Every value has its dot, however many there are: a peak of one value is seen.

    >>> list(polyline([0.0, 2.0], Scale(0.0, 2.0), 3, 3))
    [(0, 2), (1, 1), (2, 0)]
    """
    before: tuple[int, int] | None = None
    for number, value in enumerate(values):
        if value is None:
            before = None
            continue
        x = round(number / max(1, len(values) - 1) * (width - 1))
        here = (x, round((1.0 - scale.place(value)) * (height - 1)))
        yield from _between(before or here, here)
        before = here


def _between(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The dots from behind ``start`` to ``end``; that one alone where both are the same."""
    across, down = end[0] - start[0], end[1] - start[1]
    steps = max(abs(across), abs(down), 1)
    for step in range(1, steps + 1):
        yield start[0] + round(across * step / steps), start[1] + round(down * step / steps)
