"""Pictures on a terminal: plain Unicode, as wide as there is room; colours are hints only."""

from collections.abc import Iterator

from rich.text import Text

from supervisor.plot.canvas import Canvas
from supervisor.plot.curve import polyline
from supervisor.plot.pictures import Box, Boxes, Picture, Trace
from supervisor.plot.scale import Scale, brief, scale_over
from supervisor.tables import SEVERITY_STYLE, printable, shortened

ROWS = 11
"""Lines of text that a trace is high, without its axis."""

LEAST_COLUMNS = 40
"""On narrower terminals lines are cut off rather than drawn."""

_BAND, _BEGAN = "green", "magenta"
_SIGNS = ("├─┤", "▒", "┃", "◆")


def draw(picture: Picture, columns: int) -> list[Text]:
    """The picture as lines of text, none of them wider than ``columns`` (at least 40)."""
    columns = max(columns, LEAST_COLUMNS)
    lines = _trace(picture, columns) if isinstance(picture, Trace) else _boxes(picture, columns)
    title = Text(shortened(printable(picture.title), columns), style="bold")
    return [title, *lines]


def _trace(trace: Trace, columns: int) -> Iterator[Text]:
    scale = scale_over(trace.numbers())
    labels = _row_labels(scale)
    gutter = max(len(label) for label in labels.values()) + 1
    canvas = Canvas(columns - gutter - 1, ROWS)
    _fill_band(canvas, trace, scale)
    for x, y in polyline(trace.values, scale, 2 * canvas.width, 4 * ROWS):
        canvas.dot(x, y)
    _put_marks(canvas, trace, scale)
    for row in range(ROWS):
        edge = "┤" if row in labels else "│"
        yield Text(f"{labels.get(row, ''):>{gutter}}{edge}").append_text(canvas.line(row))
    yield Text(" " * gutter + "└" + "─" * canvas.width)
    yield _ends(trace, gutter + 1, canvas.width)
    yield from _key(trace, columns)


def _row_labels(scale: Scale) -> dict[int, str]:
    """Numbers beside the rows that they fall into, by row."""
    found = {}
    for tick in scale.ticks(5):
        found[min(ROWS - 1, int((1.0 - scale.place(tick)) * ROWS))] = brief(tick)
    return found


def _fill_band(canvas: Canvas, trace: Trace, scale: Scale) -> None:
    if trace.band is None:
        return
    top = min(ROWS - 1, int((1.0 - scale.place(trace.band.high)) * ROWS))
    bottom = min(ROWS - 1, int((1.0 - scale.place(trace.band.low)) * ROWS))
    for row in range(top, bottom + 1):
        for column in range(canvas.width):
            canvas.ground(column, row, "░", _BAND)


def _put_marks(canvas: Canvas, trace: Trace, scale: Scale) -> None:
    if trace.began is not None:
        column = _column(trace, trace.began, canvas.width)
        for row in range(ROWS):
            canvas.ground(column, row, "┊", _BEGAN)
    value = trace.values[trace.mark] if trace.mark is not None else None
    if trace.mark is not None and value is not None:
        row = min(ROWS - 1, int((1.0 - scale.place(value)) * ROWS))
        column = _column(trace, trace.mark, canvas.width)
        canvas.put(column, row, "◆", SEVERITY_STYLE.get(trace.severity, ""))


def _column(trace: Trace, at: int, width: int) -> int:
    return round(at / max(1, len(trace.values) - 1) * (width - 1))


def _ends(trace: Trace, indent: int, width: int) -> Text:
    """What stands below the two ends of the axis; the right one gives way."""
    first, last = printable(trace.first), printable(trace.last)
    room = width - len(first) - len(last)
    words = f"{first}{' ' * room}{last}" if room > 0 else shortened(first, width)
    return Text(" " * indent + words, style="dim")


def _key(trace: Trace, columns: int) -> Iterator[Text]:
    """What the signs mean, a line for each that is there."""
    if trace.mark is not None:
        yield _sign("◆", "the message", SEVERITY_STYLE.get(trace.severity, ""), columns)
    if trace.band is not None:
        band = f"{brief(trace.band.low)} to {brief(trace.band.high)}: {trace.band.label}"
        yield _sign("░", band, _BAND, columns)
    if trace.began is not None:
        yield _sign("┊", "where the change most likely began", _BEGAN, columns)


def _sign(sign: str, words: str, style: str, columns: int) -> Text:
    return Text.assemble((sign, style), " ", shortened(printable(words), columns - 2))


def _boxes(picture: Boxes, columns: int) -> Iterator[Text]:
    scale = scale_over(picture.numbers())
    labels = [shortened(printable(box.label), columns // 3) for box in picture.boxes]
    gutter = max((len(label) for label in labels), default=0) + 1
    width = columns - gutter
    for label, box in zip(labels, picture.boxes, strict=True):
        row = _box(box, scale, width, SEVERITY_STYLE.get(picture.severity, ""))
        yield Text(f"{label:<{gutter}}").append_text(row)
    yield from (Text(" " * gutter + words, style="dim") for words in _axis(scale, width))
    signs = zip(_SIGNS, picture.parts, strict=True)
    legend = "   ".join(f"{sign} {part}" for sign, part in signs if part)
    if legend:
        yield Text(shortened(legend, columns), style="dim")


def _box(box: Box, scale: Scale, width: int, style: str) -> Text:
    canvas = Canvas(width, 1)

    def column(value: float) -> int:
        return round(scale.place(value) * (width - 1))

    for at in range(column(box.low), column(box.high) + 1):
        canvas.put(at, 0, "─", _BAND)
    canvas.put(column(box.low), 0, "├", _BAND)
    canvas.put(column(box.high), 0, "┤", _BAND)
    if box.inner is not None:
        for at in range(column(box.inner[0]), column(box.inner[1]) + 1):
            canvas.put(at, 0, "▒", _BAND)
    if box.middle is not None:
        canvas.put(column(box.middle), 0, "┃", "bold")
    if box.mark is not None:
        canvas.put(column(box.mark), 0, "◆", style)
    return canvas.line(0)


def _axis(scale: Scale, width: int) -> tuple[str, str]:
    """The axis below boxes: a line with ticks, and their numbers where there is room."""
    ticks, words = ["─"] * width, [" "] * width
    free = 0
    for tick in scale.ticks(max(2, width // 14)):
        at, word = round(scale.place(tick) * (width - 1)), brief(tick)
        begin = min(max(0, at - len(word) // 2), width - len(word))
        ticks[at] = "┬"
        if begin >= free:
            words[begin : begin + len(word)] = word
            free = begin + len(word) + 1
    return "".join(ticks), "".join(words).rstrip()
