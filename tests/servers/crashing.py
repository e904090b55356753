"""Workers that die at a chosen moment, as a process does that is killed: nothing is tidied up."""

from collections.abc import Callable, Sequence
from typing import Any

from schemas.topology import Topology
from streams.connection import Client, send
from streams.entry import Entry, Settled
from streams.keys import Lane
from tests.servers.pipeline import Running, start_worker
from workers.handler import Handler, StatefulHandler
from workers.kinds import build_handler


class Killed(BaseException):
    """What ends the thread; no ``except Exception`` catches it."""


class DiesWhile:
    """A handler that dies when ``fatal`` says so; everything else goes to ``inner``."""

    def __init__(self, inner: Handler, fatal: Callable[[Entry], bool]) -> None:
        self._inner = inner
        self._fatal = fatal

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        if any(self._fatal(entry) for entry in batch):
            raise Killed
        return self._inner.handle(batch)


class ForgetsWhile(DiesWhile):
    """The same for a handler with state."""

    def __init__(self, inner: StatefulHandler, fatal: Callable[[Entry], bool]) -> None:
        super().__init__(inner, fatal)
        self.fingerprint = inner.fingerprint
        self.reset = inner.reset
        self.state = inner.state
        self.restore = inner.restore


def run_until_killed(running: Running) -> None:
    """Wait until a worker died by ``Killed``, and let its lease run out at once."""
    running.thread.join(30)
    running.heartbeat.stop()
    running.announcer.stop()
    assert not running.thread.is_alive()
    assert isinstance(running.errors.pop(), Killed)
    send(running.station.client, "DEL", running.station.lease.key)


def dies_at_commit(running: Running, number: int, *, after: bool) -> None:
    """Let a worker die at its ``number``-th commit from now on, just before or just after it."""
    committer = running.station.committer
    begin = committer.begin
    left = [number]

    def dying(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and not after:
            raise Killed
        committing = begin(*args, **kwargs)
        if left[0] == 0:
            committing.done()
            raise Killed
        return committing

    committer.begin = dying  # type: ignore[method-assign]


def start_dying(
    client: Client, topology: Topology, name: str, number: int, *, after: bool
) -> Running:
    """Start a worker that dies at its ``number``-th commit."""
    handler = build_handler(topology, name, Lane())
    running = start_worker(client, topology, name, handler, starting=False)
    dies_at_commit(running, number, after=after)
    running.thread.start()
    return running
