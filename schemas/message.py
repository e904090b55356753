"""What a pipeline author's function gets and gives: messages in, derived events out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Message(Generic[T]):
    """A validated message as a ``transform`` function sees it.

    ``event`` is the payload as an object of the stream's schema, ``uid`` the message's name for
    ever, ``stream`` the stream it was read from (without its lane), ``at_ms`` its entry's time in
    milliseconds since the epoch. ``id``, ``source``, ``type``, ``time`` and ``subject`` are the
    producer's optional fields.
    """

    event: T
    uid: str
    stream: str
    at_ms: int
    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """An event that a ``transform`` function made, with the messages it was made from.

    ``parents`` are uids; empty means: from the message just handled. ``stream`` is needed only
    where the worker writes to several streams.
    """

    event: Any
    parents: Sequence[str] = ()
    stream: str | None = None
    subject: str | None = None
