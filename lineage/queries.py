"""Named queries: texts in files, one file a dialect, with the parameters each of them takes.

A file is a row of sections. A section opens with a comment ``-- name: NAME(PARAMETERS)`` (``//``
in Cypher); comments that follow say what it gives; the rest is the text. A parameter may have a
default in JSON, as in ``trace_up(uid, limit=10000)``; many of them go on in the next comment.
What stands before the first section is for readers.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

from lineage.errors import QueryError

_HEADER = re.compile(r"^(?:--|//) name: (?P<name>\w+)\((?P<parameters>[^)]*)\)$", re.MULTILINE)
_COMMENT = re.compile(r"^(?:--|//) ?(?P<words>.*)$")
_NO_DEFAULT: Final = object()


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
        missing = [name for name, value in bound.items() if value is _NO_DEFAULT]
        if missing:
            raise QueryError(f"query {self.name!r} needs the parameter {missing[0]!r}")
        return bound


class Queries:
    """The named queries of one file of this package."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self._queries = {query.name: query for query in queries}

    @classmethod
    def load(cls, file: str) -> "Queries":
        """Read a file that lies beside this module, such as ``named_queries.sql``."""
        return cls(parse(files("lineage").joinpath(file).read_text(encoding="utf-8")))

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


def parse(text: str) -> list[Query]:
    """Read the sections of a file of named queries.

    >>> (query,) = parse("-- name: young(age=18)\\n-- Who is young.\\nSELECT 1 WHERE :age;")
    >>> query.about, query.text, query.bind({})
    ('Who is young.', 'SELECT 1 WHERE :age;', {'age': 18})
    """
    headers = list(_HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    return [
        _section(header, text[header.end() : end])
        for header, end in zip(headers, ends, strict=False)
    ]


def _section(header: re.Match[str], body: str) -> Query:
    lines = body.strip().splitlines()
    comments = [match for line in lines if (match := _COMMENT.match(line))]
    return Query(
        name=header["name"],
        text="\n".join(line for line in lines if not _COMMENT.match(line)).strip(),
        about=" ".join(match["words"] for match in comments),
        parameters=_parameters(header["parameters"]),
    )


def _parameters(declared: str) -> dict[str, Any]:
    words = re.sub(r"\n(?:--|//)", "", declared).split(",")
    pairs = [word.strip().partition("=") for word in words if word.strip()]
    return {name: json.loads(default) if equals else _NO_DEFAULT for name, equals, default in pairs}


def _nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"{otherwise} {', '.join(known) or 'none'}"
