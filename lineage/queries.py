"""Named queries: texts in files, one file a dialect, with the parameters each of them takes.

A file is a row of sections. A section opens with a comment ``-- name: NAME(PARAMETERS)`` (``//``
in Cypher); comments that follow say what it gives; the rest is the text. A parameter may have a
default in JSON, as in ``trace_up(uid, limit=10000)``; many of them go on in the next comment.
What stands before the first section is for readers.

A folder of such files is one set of queries. What several of them have in common is a section of
its own, ``-- part: NAME``, which ``-- include: NAME`` puts in its place; a comma may follow.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

from lineage.errors import QueryError

_HEADER = re.compile(
    r"^(?:--|//) (?P<sort>name|part): (?P<name>\w+)(?:\((?P<parameters>[^)]*)\))?$", re.MULTILINE
)
_INCLUDE = re.compile(r"^(?:--|//) include: (?P<name>\w+)(?P<comma>,?)$", re.MULTILINE)
_COMMENT = re.compile(r"^(?:--|//) ?(?P<words>.*)$")
REQUIRED: Final = object()
"""Stands for the default of a parameter that has none."""


@dataclass(frozen=True, slots=True)
class Query:
    """One named query: its text, what it gives in a sentence, its parameters and defaults."""

    name: str
    text: str
    about: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give every parameter its value.

        Raises :class:`QueryError` when one is unknown, or missing and without a default.
        """
        for name in given:
            if name not in self.parameters:
                raise QueryError(
                    f"query {self.name!r} has no parameter {name!r}; "
                    f"{_nearest(name, self.parameters, 'takes')}"
                )
        bound = {**self.parameters, **given}
        missing = [name for name, value in bound.items() if value is REQUIRED]
        if missing:
            raise QueryError(f"query {self.name!r} needs the parameter {missing[0]!r}")
        return bound


class Queries:
    """The named queries of a file, or of a folder's files in one dialect."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self._queries = {query.name: query for query in queries}

    @classmethod
    def load(cls, *places: str) -> "Queries":
        """Read files such as ``upkeep.sql`` beside this module, or all of ``questions/*.sql``."""
        return cls(parse(*(text for place in places for text in _texts(place))))

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of the file."""
        return tuple(self._queries)

    def __getitem__(self, name: str) -> Query:
        """Find a query by name.

        Raises :class:`QueryError` when there is none, naming the one that was probably meant.
        """
        if name not in self._queries:
            raise QueryError(
                f"no lineage query is named {name!r}; {_nearest(name, self._queries, 'there are')}"
            )
        return self._queries[name]


def _texts(place: str) -> list[str]:
    folder, _, name = place.rpartition("/*")
    if not folder:
        return [files("lineage").joinpath(place).read_text(encoding="utf-8")]
    found = (f for f in files("lineage").joinpath(folder).iterdir() if f.name.endswith(name))
    return [f.read_text(encoding="utf-8") for f in sorted(found, key=lambda file: file.name)]


def parse(*texts: str) -> list[Query]:
    """Read the sections of files of named queries.

    >>> (query,) = parse("-- name: young(age=18)\\n-- Who is young.\\nSELECT 1 WHERE :age;")
    >>> query.about, query.text, query.bind({})
    ('Who is young.', 'SELECT 1 WHERE :age;', {'age': 18})

    Raises :class:`QueryError` for a part that is not there.
    """
    sections = [section for text in texts for section in _sections(text)]
    parts = {header["name"]: body for header, body in sections if header["sort"] == "part"}
    return [_section(header, body, parts) for header, body in sections if header["sort"] == "name"]


def _sections(text: str) -> list[tuple[re.Match[str], str]]:
    """The headers of a file, each with what follows it."""
    headers = list(_HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    return [(header, text[header.end() : end]) for header, end in zip(headers, ends, strict=False)]


def _section(header: re.Match[str], body: str, parts: Mapping[str, str]) -> Query:
    comments = [match for line in body.splitlines() if (match := _COMMENT.match(line))]
    return Query(
        name=header["name"],
        text=_plain(body, parts),
        about=" ".join(match["words"] for match in comments if not _INCLUDE.match(match[0])),
        parameters=_parameters(header["parameters"] or ""),
    )


def _plain(body: str, parts: Mapping[str, str]) -> str:
    """A section's text with its parts in their places, and without comments."""

    def part(include: re.Match[str]) -> str:
        name = include["name"]
        if name not in parts:
            raise QueryError(
                f"a query includes the part {name!r}; {_nearest(name, parts, 'there are')}"
            )
        return _plain(parts[name], parts) + include["comma"]

    whole = _INCLUDE.sub(part, body)
    return "\n".join(line for line in whole.splitlines() if not _COMMENT.match(line)).strip()


def _parameters(declared: str) -> dict[str, Any]:
    words = re.sub(r"\n(?:--|//)", "", declared).split(",")
    pairs = [word.strip().partition("=") for word in words if word.strip()]
    return {name: json.loads(default) if equals else REQUIRED for name, equals, default in pairs}


def _nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"{otherwise} {', '.join(known) or 'none'}"
