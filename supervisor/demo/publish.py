"""Publishing a run, chunk by chunk, so that it can be broken off anywhere and gone on with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.connection import Client
from streams.keys import Lane
from streams.publish import Outgoing, Publisher
from supervisor.demo.book import Book, save
from supervisor.demo.broken import Broken, publish_broken
from supervisor.demo.data import Reading
from supervisor.demo.plan import Item, id_of

CHUNK = 200
"""Items published between two notes in the book."""

Wait = Callable[[float], bool]
"""Waits so many seconds, or until the run is to stop; whether it is to stop."""


class Interrupted(Exception):
    """Somebody wants the run to stop; it can be gone on with."""


@dataclass(frozen=True, slots=True)
class Post:
    """What publishing needs: the way to the server, the book's place, a way to wait.

    ``most_per_s`` bounds the speed; None is as fast as it goes.
    """

    client: Client
    publisher: Publisher
    lanes: int
    data_dir: Path
    wait: Wait
    monotonic_s: Callable[[], float]
    most_per_s: float | None = None


def publish_all(post: Post, book: Book, items: Sequence[Item], told: Callable[[int], None]) -> Book:
    """Publish what is left of a run; return the book at its end.

    The book is written after each chunk. The chunk in doubt after a crash is published again:
    its readings are known by their ids, its broken messages by their marks, so nothing doubles.

    Raises Interrupted after a whole chunk.
    """
    started_s, before = post.monotonic_s(), book.published
    told(book.published)
    for at in range(book.published, len(items), CHUNK):
        chunk = items[at : at + CHUNK]
        if post.wait(_early_s(post, book.published - before, started_s)):
            raise Interrupted
        _publish(post, book, chunk)
        book = book.model_copy(update={"published": book.published + len(chunk)})
        save(post.data_dir, book)
        told(book.published)
    return book


def _early_s(post: Post, published: int, started_s: float) -> float:
    """How long to wait so that the speed is not exceeded."""
    if post.most_per_s is None:
        return 0.0
    return max(0.0, started_s + published / post.most_per_s - post.monotonic_s())


def _publish(post: Post, book: Book, chunk: Sequence[Item]) -> None:
    readings = [item for item in chunk if isinstance(item, Reading)]
    post.publisher.publish_batch(book.source, [_outgoing(book.run, item) for item in readings])
    for item in chunk:
        if isinstance(item, Broken):
            lane = Lane(item.number % post.lanes, post.lanes)
            publish_broken(post.client, lane, book.source, item, id_of(book.run, item))


def _outgoing(run: str, reading: Reading) -> Outgoing:
    return Outgoing(
        reading.payload(), id=id_of(run, reading), source="demo", subject=reading.sensor
    )
