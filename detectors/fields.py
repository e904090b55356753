"""Payloads as columns: the leaves of a batch, numbers or codes of texts, as a float64 matrix.

Payloads of the same shape are turned into columns together, so the work for a message is a few
list look-ups; nothing is copied value by value unless a column mixes types.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import numpy as np

from detectors.state import State
from detectors.state_reader import StateReader
from detectors.texts import Codebooks, text_column
from detectors.values import HUGE, Floats, Ints, clean
from schemas.detector_settings import FieldSettings

_LONGEST_PATH = 128
_NUMBERS = frozenset((int, float))
_TEXTS = frozenset((str, bool))
_WILD = re.compile(r"[*?\[]")


class Columns(NamedTuple):
    """A batch as a matrix.

    ``names``: the dotted paths with a number in this batch, sorted; then, from a table that
    has codebooks, the columns of texts (``texts.text_column`` of their paths). ``x``: float64
    [payloads, names], NaN where a payload has no number, or no text, at that path.
    """

    names: tuple[str, ...]
    x: Floats


class _Part(NamedTuple):
    """The numbers at one path in some of the payloads; ``rows`` ascends."""

    path: str
    rows: Ints
    values: Floats


class _Cells(NamedTuple):
    """The texts and flags at one path in some of the payloads; ``rows`` ascends."""

    path: str
    rows: Ints
    cells: Sequence[str | bool]


class FieldTable:
    """Which fields exist, learnt from the payloads themselves.

    A field is a path of keys joined by dots that leads to a number; lists and what is inside
    lists are none. Booleans and strings are none either, unless there are ``codebooks`` to turn
    them into codes, in columns of their own. Infinite and larger numbers count as ±1e300. A path is
    admitted at the first payload that has a number there, until ``max_fields`` are; the values
    at any other path, at unprintable paths and at paths longer than 128 characters are counted
    in ``ignored_values``. Which fields are admitted does not depend on how the payloads are
    split into batches. Should a payload spell one path twice, as ``{"a.b": 1, "a": {"b": 2}}``,
    the later spelling counts.

    >>> table = FieldTable()
    >>> table.columns([{"t": 21.5, "m": {"f1": 3}}, {"t": "n/a", "m": {"f1": 4, "up": True}}])
    Columns(names=('m.f1', 't'), x=array([[ 3. , 21.5],
           [ 4. ,  nan]]))
    """

    def __init__(
        self, settings: FieldSettings | None = None, codebooks: Codebooks | None = None
    ) -> None:
        self._settings = settings or FieldSettings()
        self._books = codebooks
        self._admitted: set[str] = set()
        self.ignored_values = 0
        # Bounded: a producer that invents keys must not make the worker grow.
        self._wanted = lru_cache(maxsize=4096)(self._is_wanted)
        self._leads_on = lru_cache(maxsize=4096)(self._is_on_the_way)

    @property
    def names(self) -> tuple[str, ...]:
        """The paths admitted so far, sorted."""
        return tuple(sorted(self._admitted))

    def columns(self, payloads: Sequence[Mapping[str, Any]]) -> Columns:
        """Return the numbers of ``payloads`` as one matrix, a row for each payload."""
        found = list(self._parts(payloads, np.arange(len(payloads)), "", 1))
        parts = [part for part in found if isinstance(part, _Part)]
        self._admit(parts)
        names = tuple(sorted({part.path for part in parts} & self._admitted))
        if self._books and len(parts) < len(found):
            coded = self._coded([each for each in found if isinstance(each, _Cells)], self._books)
            parts += coded
            names += tuple(part.path for part in coded)
        column = {name: index for index, name in enumerate(names)}
        x = np.full((len(payloads), len(names)), np.nan)
        for path, rows, values in parts:
            if path in column:
                every = len(rows) == len(x)
                x[slice(None) if every else rows, column[path]] = values
            else:
                self.ignored_values += len(rows)
        return Columns(names, x)

    def state(self) -> State:
        """Return the admitted paths, the count of ignored values, and the codebooks."""
        own: State = {"names": list(self.names), "ignored_values": self.ignored_values}
        return {**own, "texts": self._books.state()} if self._books else own

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "FieldTable")
        admitted, ignored = reader.texts("names"), reader.integer("ignored_values")
        if self._books:
            self._books.restore(reader.mapping("texts"))
        self._admitted, self.ignored_values = set(admitted), ignored

    def _parts(
        self, payloads: Sequence[Mapping[str, Any]], rows: Ints, prefix: str, depth: int
    ) -> Iterator[_Part | _Cells]:
        for keys, group, members in _by_shape(payloads):
            group_rows = rows if members is None else rows[members]
            for key in keys:
                path = f"{prefix}{key}"
                if self._wanted(path) or self._leads_on(path):
                    cells = list(map(itemgetter(key), group))
                    yield from self._column(cells, group_rows, path, depth)

    def _column(
        self, cells: Sequence[Any], rows: Ints, path: str, depth: int
    ) -> Iterator[_Part | _Cells]:
        types = set(map(type, cells))
        if types & _NUMBERS and self._wanted(path):
            part = _numbers(path, cells, rows, pure=types <= _NUMBERS)
            if len(part.rows):
                yield part
        if self._books and types & _TEXTS and self._wanted(path):
            yield _texts(path, cells, rows, pure=types <= _TEXTS)
        if dict in types and depth < self._settings.max_depth:
            nested, nested_rows = cells, rows
            if len(types) > 1:
                inside = [i for i, cell in enumerate(cells) if type(cell) is dict]
                nested, nested_rows = [cells[i] for i in inside], rows[inside]
            yield from self._parts(nested, nested_rows, f"{path}.", depth + 1)

    def _coded(self, found: Sequence[_Cells], books: Codebooks) -> list[_Part]:
        """Texts as codes, learnt row by row: a path with several shapes is put in order first."""
        paths: dict[str, list[_Cells]] = {}
        for each in found:
            paths.setdefault(each.path, []).append(each)
        joined = [_in_order(parts) for parts in paths.values()]
        fresh = sorted((int(each.rows[0]), each.path) for each in joined if _is_name(each.path))
        books.admit([path for _, path in fresh])
        coded = []
        for path, rows, cells in joined:
            if book := books.get(path):
                coded.append(_Part(text_column(path), rows, book.codes(cells)))
        return sorted(coded, key=attrgetter("path"))

    def _is_wanted(self, path: str) -> bool:
        patterns = self._settings.patterns
        return patterns is None or any(fnmatchcase(path, pattern) for pattern in patterns)

    def _is_on_the_way(self, path: str) -> bool:
        """Whether a pattern may match something below ``path``."""
        patterns, below = self._settings.patterns, f"{path}."
        heads = [_WILD.split(pattern, maxsplit=1)[0] for pattern in patterns or ("",)]
        return any(head.startswith(below) or below.startswith(head) for head in heads)

    def _admit(self, parts: list[_Part]) -> None:
        fresh = sorted(
            (int(part.rows[0]), part.path)
            for part in parts
            if part.path not in self._admitted and _is_name(part.path)
        )
        for _, path in fresh:
            if len(self._admitted) >= self._settings.max_fields:
                break
            self._admitted.add(path)


def _is_name(path: str) -> bool:
    """Whether an event can carry ``path``: lone surrogates and control characters cannot."""
    return 0 < len(path) <= _LONGEST_PATH and path.isprintable()


def _by_shape(
    payloads: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[tuple[str, ...], Sequence[Mapping[str, Any]], list[int] | None]]:
    """Yield the keys that payloads have, the payloads, and which they are; None for all."""
    shapes = list(map(tuple, payloads))
    if shapes and shapes.count(shapes[0]) == len(shapes):
        yield shapes[0], payloads, None
        return
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, shape in enumerate(shapes):
        groups.setdefault(shape, []).append(index)
    for shape, members in groups.items():
        yield shape, [payloads[i] for i in members], members


def _texts(path: str, cells: Sequence[Any], rows: Ints, *, pure: bool) -> _Cells:
    if pure:
        return _Cells(path, rows, cells)
    kept = [i for i, cell in enumerate(cells) if type(cell) in _TEXTS]
    return _Cells(path, rows[kept], [cells[i] for i in kept])


def _in_order(parts: Sequence[_Cells]) -> _Cells:
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows for part in parts])
    cells = [cell for part in parts for cell in part.cells]
    order = np.argsort(rows, kind="stable")
    return _Cells(parts[0].path, rows[order], [cells[i] for i in order])


def _numbers(path: str, cells: Sequence[Any], rows: Ints, *, pure: bool) -> _Part:
    if not pure:
        kept = [i for i, cell in enumerate(cells) if type(cell) in _NUMBERS]
        cells, rows = [cells[i] for i in kept], rows[kept]
    try:
        values = np.array(cells, dtype=np.float64)
    except OverflowError:
        values = np.array([_as_float(cell) for cell in cells])
    missing = np.isnan(values)
    if missing.any():
        rows, values = rows[~missing], values[~missing]
    return _Part(path, rows, clean(values))


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return HUGE if number > 0 else -HUGE
