"""What a page of the console answers when something is wrong: a status and one sentence."""

from collections.abc import Callable, Mapping
from typing import Any

import typer

from lineage.errors import LineageError, QueryError, UnknownMessageError
from streams.errors import EntryRefused, ServerAway, StreamsError, UnknownEntry
from supervisor.edge import sentences
from supervisor.errors import SupervisorError
from supervisor.explain.lookup import NoEvent
from supervisor.page_routes import Answer

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (typer.BadParameter, 400),
    (QueryError, 400),
    (UnknownMessageError, 404),
    (UnknownEntry, 404),
    (NoEvent, 404),
    (EntryRefused, 409),
    (ServerAway, 503),
    (LineageError, 502),
    (StreamsError, 502),
    (SupervisorError, 409),
)


def telling(page: Callable[[Mapping[str, Any]], Answer]) -> Callable[[Mapping[str, Any]], Answer]:
    """The page, with errors that are nobody's fault in the program told in a sentence."""

    def told(asked: Mapping[str, Any]) -> Answer:
        try:
            return page(asked)
        except tuple(sort for sort, _ in _STATUS) as error:
            return Answer.fault(status_of(error), _sentence(error))

    return told


def status_of(error: Exception) -> int:
    """The HTTP status of an error that was expected."""
    return next(status for sort, status in _STATUS if isinstance(error, sort))


def _sentence(error: Exception) -> str:
    return error.message if isinstance(error, typer.BadParameter) else sentences(error)[0]
