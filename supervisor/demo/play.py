"""One run of the demo from its beginning, or from where it was broken off, to its report."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.topology import Topology
from streams.connection import Client
from streams.observe import StreamState, counters, ends, stream_states
from streams.publish import Publisher
from supervisor.demo.book import Book, load, new_run, resumable, save
from supervisor.demo.broken import broken_messages
from supervisor.demo.course import Course
from supervisor.demo.data import shuttle, waterflow
from supervisor.demo.plan import Item, interleaved
from supervisor.demo.publish import Post, Wait, publish_all
from supervisor.demo.report import Report, Sources, collect
from supervisor.demo.screen import screen
from supervisor.demo.settle import Look, backlog_of, outcomes, wait_until_settled

STALL_S = 60.0
"""A pipeline that settles nothing for so long, though there is something, has stalled."""

REMEMBER_S = 24 * 3600.0
"""A reading in doubt is known again by its id for so long."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one call of the demo was asked for: readings of each sensor, and readings a second."""

    most: int | None = None
    most_per_s: float | None = None
    stall_s: float = STALL_S


@dataclass(frozen=True, slots=True)
class Player:
    """Plays one run on a pipeline. ``check`` raises when the pipeline is gone."""

    client: Client
    topology: Topology
    course: Course
    data_dir: Path
    wait: Wait
    check: Callable[[], None]
    monotonic_s: Callable[[], float] = time.monotonic

    def begin(self, most: int | None) -> tuple[Book, bool]:
        """The book of the run to play, and whether it was begun before."""
        book = load(self.data_dir)
        source = self._source()
        if book is not None and resumable(book, source, most):
            return book, True
        book = self._new(source, most)
        save(self.data_dir, book)
        return book, False

    def _new(self, source: StreamState, most: int | None) -> Book:
        course = self.course
        told = {*course.anomalies, *course.drifts, course.rejected, course.decisions} - {None}
        settled = counters(self.client, self.topology)
        return Book(
            run=new_run(),
            most=most,
            source=course.source,
            published=0,
            before=outcomes(settled, course.gate, course.source),
            added=source.added,
            ends={name: ends(self.client, self.topology, name) for name in told if name},
        )

    def play(self, book: Book, settings: Settings) -> Report:
        """Publish what is left, wait until all is settled, and collect the report.

        Raises Interrupted when told to stop, Stalled when the pipeline does not come on.
        """
        items = self.items(book.most)
        gate, before = (self.course.gate, self.course.source), sum(book.before.values())
        with screen(len(items), gate, before) as shown:
            book = publish_all(
                self._post(settings), book, items, lambda count: shown.published(count, self._look)
            )
            settled = wait_until_settled(
                self._look,
                self.wait,
                shown.looked,
                monotonic_s=self.monotonic_s,
                stall_s=settings.stall_s,
            )
        sources = Sources(self.client, self.topology, self.course, book)
        report = collect(sources, items, settled, self._source().added)
        save(self.data_dir, book.model_copy(update={"finished": True}))
        return report

    def items(self, most: int | None) -> Sequence[Item]:
        """What a run of that size publishes, in its order."""
        limits = self.topology.limits
        broken = broken_messages(limits.entry_bytes, limits.nesting)
        return interleaved(shuttle(most), waterflow(most), broken)

    def _post(self, settings: Settings) -> Post:
        topology = self.topology
        publisher = Publisher(
            self.client,
            lanes=topology.lanes,
            limits=topology.limits,
            remember_s=max(REMEMBER_S, topology.delivery.remember_ids),
        )
        return Post(
            client=self.client,
            publisher=publisher,
            lanes=topology.lanes,
            data_dir=self.data_dir,
            wait=self._wait,
            monotonic_s=self.monotonic_s,
            most_per_s=settings.most_per_s,
        )

    def _wait(self, seconds: float) -> bool:
        self.check()
        return self.wait(seconds)

    def _look(self) -> Look:
        self.check()
        states = stream_states(self.client, self.topology)
        return Look(backlog_of(self.topology, states), counters(self.client, self.topology))

    def _source(self) -> StreamState:
        states = stream_states(self.client, self.topology)
        return next(state for state in states if state.name == self.course.source)
