"""Finds processes that live and say that all is well, and settle nothing although entries wait."""

from collections.abc import Mapping
from dataclasses import dataclass

from streams.progress import Grip, Progress

_NOTHING = Grip(0, 0.0)


@dataclass(frozen=True, slots=True)
class Post:
    """That ``consumer`` takes the entries of a lane for ``worker``; ``alone`` where it owns it."""

    worker: str
    consumer: str
    lane: int
    alone: bool


@dataclass(frozen=True, slots=True)
class Stall:
    """What a process left undone: for how long, on which lane, and how much waits."""

    lane: int
    lag: int
    pending: int
    for_s: float


@dataclass(frozen=True, slots=True)
class _Mark:
    settled: int
    committed_at_s: float
    read_at_s: float


class Stalls:
    """Remembers when each process last came on, lane by lane.

    A process comes on with a commit on its lane. On a lane that others serve too, their commits say
    nothing of this one, so there it has to read as well. A process that is not looked at for once,
    because its lane is on standby or being rebuilt, or because the server was away (``forget``),
    begins anew. Where nothing waits, nothing stalls.
    """

    def __init__(self) -> None:
        self._marks: dict[Post, _Mark] = {}
        self._looked_at_s = float("-inf")

    def forget(self) -> None:
        """Begin anew with all: nobody could come on while the server was away."""
        self._marks.clear()

    def look(
        self, now_s: float, posts: Mapping[Post, Progress], after_s: Mapping[str, float]
    ) -> dict[str, Stall]:
        """The consumers that have stalled, each with its longest stall.

        ``posts`` are the lanes that are served right now, ``after_s`` the patience by worker.
        """
        since_s, self._looked_at_s = now_s - self._looked_at_s, now_s
        self._marks = {
            post: _marked(self._marks.get(post), seen, _grip(post, seen), now_s, since_s)
            for post, seen in posts.items()
        }
        found: dict[str, Stall] = {}
        for post, mark in self._marks.items():
            seen, for_s = posts[post], now_s - _came_on_at_s(post, posts[post], mark)
            before = found.get(post.consumer)
            if for_s >= after_s[post.worker] and (before is None or before.for_s < for_s):
                found[post.consumer] = Stall(post.lane, seen.lag, _grip(post, seen).pending, for_s)
        return found


def _grip(post: Post, seen: Progress) -> Grip:
    return seen.grips.get(post.consumer, _NOTHING)


def _marked(
    before: _Mark | None, seen: Progress, grip: Grip, now_s: float, since_s: float
) -> _Mark:
    waits = seen.lag > 0 or grip.pending > 0
    if before is None or not waits:
        return _Mark(seen.settled, now_s, now_s)
    committed_at_s = before.committed_at_s if seen.settled == before.settled else now_s
    read_at_s = now_s if grip.idle_s < since_s else before.read_at_s
    return _Mark(seen.settled, committed_at_s, read_at_s)


def _came_on_at_s(post: Post, seen: Progress, mark: _Mark) -> float:
    if post.alone:
        return mark.committed_at_s
    if seen.lag == 0:
        return mark.read_at_s  # what it has waits for its next attempt, and it looks for more
    return min(mark.committed_at_s, mark.read_at_s)
