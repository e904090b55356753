"""Texts and flags as categories: a bounded list of texts for each field, and a code for each."""

from collections.abc import Sequence

import numpy as np

from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats

UNTOLD = -1.0
"""The code of a text that is there, but not told apart from others."""

SETTLING = 200
"""Texts of a field by which it is decided whether they are categories."""

MOST_DISTINCT = SETTLING // 2
"""A field with more different texts among these has names or free text, and no categories."""

OTHERS = "others"
"""How all categories beyond the bound are called together."""

_MARK = "\n"  # no path of numbers ends so: it would not be printable
_LONGEST = 128


def text_column(path: str) -> str:
    """Return the name of the column with the codes of the texts at ``path``."""
    return path + _MARK


def is_text_column(name: str) -> bool:
    """Whether a column has codes of texts."""
    return name.endswith(_MARK)


def path_of(name: str) -> str:
    """Return the path behind a column of numbers or of codes.

    >>> path_of(text_column("site")), path_of("t")
    ('site', 't')
    """
    return name.removesuffix(_MARK)


class Codebook:
    """Numbers the texts of one field in the order in which they first appear.

    The first :data:`SETTLING` texts are only learnt, and have the code :data:`UNTOLD`. With more
    than :data:`MOST_DISTINCT` different ones among them the field is left out: all its texts have
    that code, for ever, and none is remembered. Else each text has a code of its own, until
    ``max_categories`` have; all later ones have codes from ``max_categories`` on.
    A text keeps its code. Flags count as ``true`` and ``false``; of a long text the first 128
    characters count.

    >>> book = Codebook(2)
    >>> _ = book.codes(SETTLING * ["red"])
    >>> book.codes(["red", "green", True, "green"]).tolist(), book.name_of(1)
    ([0.0, 1.0, 2.0, 1.0], 'green')
    """

    def __init__(self, max_categories: int) -> None:
        self._max = max_categories
        self._room = max(max_categories, MOST_DISTINCT + 1)  # enough to see that they are too many
        self._known: dict[str | bool, float] = {}
        self._texts: list[str] = []
        self._n_settling = SETTLING
        self.left_out = False

    def codes(self, cells: Sequence[str | bool]) -> Floats:
        """Return the code of each text, float64 [cells], and learn those that are new."""
        settling = min(self._n_settling, len(cells))
        self._n_settling -= settling
        codes = np.full(len(cells), UNTOLD)
        self._settle(cells[:settling])
        if not self.left_out and settling < len(cells):
            rest = cells[settling:]
            found = list(map(self._known.get, rest))
            if None in found:
                found = [self._code(cell) for cell in rest]
            codes[settling:] = found
        return codes

    def name_of(self, code: int) -> str:
        """Return the text with this code, or :data:`OTHERS`."""
        return self._texts[code] if 0 <= code < min(len(self._texts), self._max) else OTHERS

    def state(self) -> State:
        """Return the texts by code, and how many are still to come before it is settled."""
        return {
            "texts": list(self._texts),
            "n_settling": self._n_settling,
            "left_out": int(self.left_out),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Codebook")
        n_settling = reader.integer("n_settling", high=SETTLING)
        left_out, texts = bool(reader.integer("left_out", high=1)), reader.texts("texts")
        self._known, self._texts = {}, []
        for text in texts[: self._room]:
            self._learn(text)
        self._n_settling, self.left_out = n_settling, left_out

    def _settle(self, cells: Sequence[str | bool]) -> None:
        for cell in () if self.left_out else cells:
            self._code(cell)
        if cells and len(self._texts) > MOST_DISTINCT:
            self.left_out, self._known, self._texts = True, {}, []

    def _code(self, cell: str | bool) -> float:
        text = _name(cell)
        code = self._known.get(text)
        if code is None:
            if len(self._texts) >= self._room:
                return float(self._room)
            code = self._learn(text)
        return code

    def _learn(self, text: str) -> float:
        code = float(len(self._texts))
        self._texts.append(text)
        self._known[text] = code
        if text in _FLAGS:
            self._known[_FLAGS[text]] = code
        return code


_FLAGS = {"true": True, "false": False}


class Codebooks:
    """A :class:`Codebook` for each path that has had a text, for ``max_fields`` paths at most.

    Which paths get one does not depend on how payloads are split into batches.
    """

    def __init__(self, max_categories: int, max_fields: int = 256) -> None:
        self._max_categories, self._max_fields = max_categories, max_fields
        self._books: dict[str, Codebook] = {}

    @property
    def n_left_out(self) -> int:
        """The number of fields whose texts are no categories."""
        return sum(book.left_out for book in self._books.values())

    def admit(self, paths: Sequence[str]) -> None:
        """Give a book to these paths, in this order, as long as there is room."""
        for path in paths:
            if path not in self._books and len(self._books) < self._max_fields:
                self._books[path] = Codebook(self._max_categories)

    def get(self, path: str) -> Codebook | None:
        """Return the book of a path; None where it has none."""
        return self._books.get(path)

    def state(self) -> State:
        """Return the books, by path."""
        return {path: book.state() for path, book in self._books.items()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, books = StateReader(state, "Codebooks"), {}
        for path in list(state)[: self._max_fields]:
            books[path] = Codebook(self._max_categories)
            books[path].restore(reader.mapping(path))
        self._books = books


def _name(cell: str | bool) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if not cell:
        return "(empty)"
    text = cell[:_LONGEST]
    return text if text.isprintable() else ascii(text)[1:-1][:_LONGEST]
