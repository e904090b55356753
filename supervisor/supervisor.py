"""The supervisor: starts the server and the workers, keeps them alive, and ends them in good order.

One thread does it all: it waits for a word (a signal, a request, or that time is up), looks at
everything once, and waits again. Only the pages answer in threads of their own, from ``seen``.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from schemas.topology import Topology
from streams.errors import StreamsError
from streams.observe import stream_states
from streams.outage import Outage
from streams.presence import present
from streams.settings import ServerSettings
from supervisor.announced import Announced, of_this_machine
from supervisor.child import Child, Place, Surroundings
from supervisor.estate import Estate
from supervisor.fleet import ChildView, Fleet, command_of
from supervisor.requests import Desk, Request
from supervisor.server import StreamServer
from supervisor.settings import SupervisorSettings
from supervisor.signals import End, Signals
from supervisor.tide import Tide

_CALM_S, _WATCHFUL_S, _AFTER_KILL_S, _STREAMS_S = 1.0, 0.2, 5.0, 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the main loop saw at its last turn; other threads read it whole."""

    at_s: float
    ready: bool = False
    draining: bool = False
    children: tuple[ChildView, ...] = ()
    wanted: Mapping[str, int] | None = None
    restarts: Mapping[str, int] | None = None


class Supervisor:
    """Supervises the workers of a topology on one data directory.

    ``open_pages`` gets the supervisor once its server answers, and returns what closes the pages;
    ``on_ready`` gets the seconds from start to ready, once.
    """

    def __init__(
        self,
        topology: Topology,
        settings: SupervisorSettings,
        server_settings: ServerSettings,
        log: Any,
        *,
        around: Surroundings | None = None,
        on_ready: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.topology = topology
        self.settings = settings
        self.server = StreamServer(server_settings, settings, log)
        self.inbox: SimpleQueue[Any] = SimpleQueue()
        self._around = around or Surroundings()
        self._log = log
        self._on_ready = on_ready
        self._fleet = Fleet(
            topology, settings.only, self._child, drain_s=settings.drain_s, now_s=self._around.now_s
        )
        self._desk = Desk(self._fleet)
        self._outage = Outage(log, first_s=0.2, most_s=2.0)
        self._estate = Estate(topology.lanes)
        self._tide = Tide(log)
        self._presence_at_s = self._streams_at_s = 0.0
        self._began_at_s = self._around.now_s()
        self._was_ready = False
        self.seen = Seen(self._began_at_s)

    def run(self, open_pages: Callable[["Supervisor"], Callable[[], None]]) -> None:
        """Run until told to end; then drain the workers and stop the embedded server.

        Raises what ``StreamServer.start`` and ``open_pages`` raise.
        """
        with ExitStack() as stack:
            self.server.start()
            stack.callback(self.server.stop)
            stack.enter_context(Signals(self.inbox))
            self._client = stack.enter_context(self.server.client())
            stack.callback(open_pages(self))
            try:
                self._fleet.start()
                self._attend()
            finally:
                self._desk.close()
                self._drain()

    def ask(self, request: Request, within_s: float) -> None:
        """From any thread: have something done and wait for its end.

        Raises what ended it, TimeoutError when it takes longer.
        """
        self.inbox.put(request)
        request.done.result(within_s)

    def end(self, why: str) -> None:
        """From any thread: drain and end."""
        self.inbox.put(End(why))

    def _child(self, place: Place) -> Child:
        settings = self.settings
        return Child(
            place,
            command_of(settings.config, place),
            settings.logs / f"{place.label}.log",
            self._log,
            self._around,
        )

    def _attend(self) -> None:
        while True:
            self._turn()
            word = self._next_word(self._pause_s())
            if isinstance(word, End):
                self._log.info("supervisor_ending", why=word.why)
                return
            if isinstance(word, Request):
                self._desk.take(word)

    def _pause_s(self) -> float:
        watchful = self._desk.busy or not self._fleet.ready
        due_s = self._fleet.waits_s()
        pause_s = _WATCHFUL_S if watchful else _CALM_S
        return pause_s if due_s is None else max(0.01, min(pause_s, due_s))

    def _next_word(self, within_s: float) -> Any:
        try:
            return self.inbox.get(timeout=within_s)
        except Empty:
            return None

    def _turn(self) -> None:
        self.server.look()
        self._look_at_children()
        self._settle_estates()
        self._look_at_presence()
        self._look_at_streams()
        self._desk.step()
        if self._fleet.ready and not self._was_ready:
            self._was_ready = True
            self._on_ready(self._around.now_s() - self._began_at_s)
        self._note()

    def _look_at_children(self) -> None:
        for child, lines in self._fleet.look():
            for line in lines:
                if line.loud:
                    fields = {k: v for k, v in line.fields if k != "worker"}
                    getattr(self._log, line.level)(line.event, process=child.place.label, **fields)

    def _settle_estates(self) -> None:
        """End the leases of processes that were killed, so that their entries go on at once."""
        self._estate.note({c.pid for c in self._fleet.children.values() if c.pid})
        try:
            for worker in self._estate.settle(self._client):
                self._log.info("lease_broken", worker=worker)
        except StreamsError:
            return  # the server is away: the look at the presence list says so, once

    def _look_at_presence(self) -> None:
        now = self._around.now_s()
        if now < self._presence_at_s:
            return
        try:
            found: Mapping[int, Announced] = of_this_machine(present(self._client, time.time()))
        except StreamsError as error:
            found = {}
            self._presence_at_s = now + self._outage.failed(error)
        else:
            self._outage.over()
        for child in self._fleet.children.values():
            process = found.get(child.pid or 0)
            if process is None or child.state == "stopping":
                child.saw(False)
            else:
                child.saw(process.ready, process.lanes, process.presence.restarts)

    def _look_at_streams(self) -> None:
        """Tell of streams that run full and of groups that nobody reads."""
        now = self._around.now_s()
        if now < self._streams_at_s or self._outage.lasting:
            return
        self._streams_at_s = now + _STREAMS_S
        with suppress(StreamsError):  # the look at the presence list tells of an outage
            self._tide.look(stream_states(self._client, self.topology))

    def _note(self, *, draining: bool = False) -> None:
        self.seen = Seen(
            at_s=self._around.now_s(),
            ready=self._fleet.ready and not draining,
            draining=draining,
            children=self._fleet.view(),
            wanted=dict(self._fleet.wanted),
            restarts=self._fleet.restarts(),
        )

    def _drain(self) -> None:
        """Tell all workers to end, wait; kill what is left, at once if told to end again."""
        self._fleet.stop()
        deadline_s = self._around.now_s() + self.settings.drain_s
        self._wait_for_ends(deadline_s)
        killed = self._fleet.kill()
        if killed:
            self._log.warning("workers_killed", processes=killed, drain_s=self.settings.drain_s)
            self._wait_for_ends(self._around.now_s() + _AFTER_KILL_S)
        self._log.info("supervisor_ended")

    def _wait_for_ends(self, deadline_s: float) -> None:
        while self._fleet.alive and self._around.now_s() < deadline_s:
            self._look_at_children()
            self._note(draining=True)
            word = self._next_word(_WATCHFUL_S) if self._fleet.alive else None
            if isinstance(word, End):
                return
            if isinstance(word, Request):
                self._desk.take(word)
                self._desk.close()
