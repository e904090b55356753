"""What pages there are: their paths, who may ask for them, and what an answer is."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page says."""

    status: int
    body: bytes
    content_type: str = JSON

    @classmethod
    def of(cls, found: Any, status: int = 200) -> "Answer":
        """An answer of JSON."""
        return cls(status, json.dumps(found).encode() + b"\n")

    @classmethod
    def fault(cls, status: int, sentence: str) -> "Answer":
        """An error: JSON with one sentence."""
        return cls.of({"error": sentence}, status)


Get: TypeAlias = Callable[[Mapping[str, str]], Answer]
"""Answers a GET; takes the parameters behind the question mark."""

Post: TypeAlias = Callable[[Mapping[str, Any]], Answer]
"""Does what a POST asks for; takes its JSON object."""

Live: TypeAlias = Callable[[], Iterator[tuple[str, str]]]
"""One look at what changes: events of a stream, each its name and a line of JSON."""


@dataclass(frozen=True, slots=True)
class Deed:
    """An action that somebody with the token asked for.

    ``by`` is ``console`` or ``command``, ``peer`` the address that it came from.
    """

    action: str
    asked: Mapping[str, Any]
    by: str
    peer: str


Watch: TypeAlias = Callable[[Deed, Callable[[], Answer]], Answer]
"""Has a deed done and keeps a record of it."""


def _unwatched(_: Deed, act: Callable[[], Answer]) -> Answer:
    return act()


@dataclass(frozen=True, slots=True)
class Routes:
    """Every page by its path. ``posts`` want ``Authorization: Bearer <token>``.

    So does everything else where the pages are not on loopback, but for ``open`` and the files of
    ``static``. ``lives`` are looked at once a second, for as long as somebody listens.
    """

    gets: Mapping[str, Get]
    posts: Mapping[str, Post]
    token: str
    lives: Mapping[str, Live] = field(default_factory=dict)
    open: frozenset[str] = frozenset({"/metrics", "/livez", "/readyz"})
    static: Path | None = None
    watch: Watch = _unwatched
