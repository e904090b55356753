"""The supervisor: starts the server and the workers, keeps them alive, and ends them in good order.

One thread does it all: it waits for a word (a signal, a request, or that time is up), looks at
everything once, and waits again. Only the pages answer in threads of their own, from ``seen``.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from schemas.topology import Topology
from streams.settings import ServerSettings
from supervisor import applied_file
from supervisor.changes import Change
from supervisor.child import Child, Place, Surroundings
from supervisor.chronicle import Chronicle
from supervisor.errors import ReloadRefused
from supervisor.fleet import ChildView, Fleet
from supervisor.inspection import Inspector
from supervisor.parts import Applied, applied
from supervisor.reload import Reloader
from supervisor.requests import Desk, Request
from supervisor.rounds import Rounds
from supervisor.server import StreamServer
from supervisor.settings import SupervisorSettings
from supervisor.signals import End, Hangup, Signals
from supervisor.steps import Steps
from supervisor.worker_command import command_of

_CALM_S, _WATCHFUL_S, _SOON_S, _AFTER_KILL_S = 1.0, 0.2, 0.02, 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the main loop saw at its last turn; other threads read it whole."""

    at_s: float
    ready: bool = False
    draining: bool = False
    children: tuple[ChildView, ...] = ()
    wanted: Mapping[str, int] | None = None
    restarts: Mapping[str, int] | None = None
    actions: Mapping[tuple[str, str], int] | None = None


class Supervisor:
    """Supervises the workers of a topology on one data directory.

    ``text`` is what the topology was read from: workers read it, whatever the file says by then.
    ``open_pages`` gets the supervisor once its server answers, and returns what closes the pages;
    ``on_ready`` gets the seconds from start to ready, once; ``on_broken`` a process that turns out
    to be misconfigured, and its words.
    """

    def __init__(
        self,
        topology: Topology,
        settings: SupervisorSettings,
        server_settings: ServerSettings,
        log: Any,
        *,
        text: str,
        around: Surroundings | None = None,
        on_ready: Callable[[float], None] = lambda _: None,
        on_broken: Callable[[str, str], None] = lambda _, __: None,
        check_footing: Callable[[], None] = lambda: None,
    ) -> None:
        self._check_footing = check_footing
        self._on_broken = on_broken
        self._text = text
        self.settings = settings
        self.inbox: SimpleQueue[Any] = SimpleQueue()
        self._gate, self._closed = Lock(), False
        self._around = around = around or Surroundings()
        self._log = log
        self._on_ready = on_ready
        self._chronicle = Chronicle(log)
        self.server = StreamServer(server_settings, settings, log, chronicle=self._chronicle)
        self._reloader = Reloader(
            settings.config,
            applied(topology, settings.only),
            Inspector(around.spawn, around.now_s),
            self._chronicle,
            self._hold,
            applied_file.Copies(settings.data_dir, settings.config, log),
        )
        self._fleet = Fleet(
            topology, settings.only, self._child,
            drain_s=settings.drain_s, now_s=around.now_s, chronicle=self._chronicle,
            check=self._reloader.check,
        )  # fmt: skip
        self._desk = Desk(self._fleet)
        self._rounds = Rounds(self._fleet, self._chronicle, log, around.now_s, settings.drain_s)
        self._began_at_s = around.now_s()
        self._was_ready = False
        self._broken: dict[str, str] = {}
        self.seen = Seen(self._began_at_s)

    @property
    def topology(self) -> Topology:
        """The topology that runs; another one after a reload."""
        return self._fleet.topology

    def run(self, open_pages: Callable[["Supervisor"], Callable[[], None]]) -> None:
        """Run until told to end; then drain the workers and stop the embedded server.

        Raises what ``StreamServer.start`` and ``open_pages`` raise, and, once all is drained, what
        ``check_footing`` does.
        """
        with ExitStack() as stack:
            stack.enter_context(Signals(self.inbox))
            if not self._server_started():
                self.server.stop()
                return
            stack.callback(self.server.stop)
            self._client = stack.enter_context(self.server.client())
            self._reloader.take_text(self._text)
            self._hold(self._reloader.running)
            stack.callback(open_pages(self))
            stack.callback(self._turn_away)
            try:
                self._fleet.start()
                self._attend()
            finally:
                self._desk.close()
                self._drain()

    def _server_started(self) -> bool:
        """Start the server; False where somebody wants to end before it serves."""
        for _ in self.server.start():
            word = self._next_word(_SOON_S)
            if isinstance(word, End):
                self._log.info("supervisor_ending", why=word.why)
                return False
            if isinstance(word, Hangup):
                self._do(self.reload)
        return True

    def _turn_away(self) -> None:
        """Refuse what nobody will do any more: what was asked since the last child ended."""
        with self._gate:
            self._closed = True
        while not self.inbox.empty():
            word = self.inbox.get()
            if isinstance(word, Request):
                word.refuse()

    def ask(self, request: Request, within_s: float) -> None:
        """From any thread: have something done and wait for its end.

        Raises what ended it, TimeoutError when it takes longer.
        """
        with self._gate:  # after it was closed nothing is put behind what was turned away
            if self._closed:
                request.refuse()
            else:
                self.inbox.put(request)
        request.done.result(within_s)

    def reload(
        self, fleet: Fleet, told: Callable[[Iterable[Change]], None] = lambda _: None
    ) -> Steps:
        """What applies the topology file as it is now: for a request; ``told`` hears what changes.

        Raises ReloadRefused and ActionFailed.
        """
        return self._reloader.begin(fleet, told)

    def _hold(self, running: Applied) -> None:
        try:
            applied_file.write(self.settings.data_dir, running)
        except OSError as error:  # 'penstock plan' and 'penstock reload' will say so
            self._log.warning("applied_not_written", error=str(error))

    def end(self, why: str) -> None:
        """From any thread: drain and end."""
        self.inbox.put(End(why))

    def _child(self, place: Place) -> Child:
        settings = self.settings
        return Child(
            place,
            lambda: command_of(self._reloader.file_for(place), settings.config, place),
            settings.logs / f"{place.label}.log",
            self._chronicle,
            self._around,
        )

    def _attend(self) -> None:
        while True:
            self._turn()
            word = self._next_word(self._pause_s())
            if isinstance(word, End):
                self._log.info("supervisor_ending", why=word.why)
                return
            if isinstance(word, Hangup):
                self._do(self.reload)
            if isinstance(word, Request):
                self._desk.take(word)

    def _do(self, begin: Callable[[Fleet], Steps]) -> None:
        """Have something done that nobody waits for; its end is told in the log."""
        request = Request(begin)
        request.done.add_done_callback(self._tell_end)
        self._desk.take(request)

    def _tell_end(self, done: Future[None]) -> None:
        error = done.exception()
        if error is not None and not isinstance(error, ReloadRefused):  # which was told
            self._log.error("action_failed", error=str(error))

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
        self._check_footing()
        self.server.look()
        self._look_at_children()
        for worker, wanted in self._rounds.go(self._client, may_scale=not self._desk.busy).items():
            self._do(
                partial(Fleet.scale, worker=worker, processes=wanted.processes, why=wanted.why)
            )
        self._desk.step()
        if self._fleet.ready and not self._was_ready:
            self._was_ready = True
            self._on_ready(self._around.now_s() - self._began_at_s)
        self._note()

    def _look_at_children(self) -> None:
        mended = {c.place.label for c in self._fleet.children.values() if c.state == "running"}
        for child, lines in self._fleet.look():
            for line in lines:
                if line.loud:
                    tell = getattr(self._log, line.level)
                    tell(line.event, process=child.place.label, **line.told)
        broken = self._fleet.misconfigured()
        known = {label: words for label, words in self._broken.items() if label not in mended}
        for label, words in broken.items() - known.items():
            self._on_broken(label, words)
        self._broken = known | broken

    def _note(self, *, draining: bool = False) -> None:
        self.seen = Seen(
            at_s=self._around.now_s(),
            ready=self._fleet.ready and not draining,
            draining=draining,
            children=self._fleet.view(),
            wanted=dict(self._fleet.wanted),
            restarts=self._fleet.restarts(),
            actions=self._chronicle.counts,
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
        self._rounds.write(self._client)
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
