"""Applies a changed topology file to the workers that run, worker by worker."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from schemas.supervisor_event import Action
from schemas.topology import Topology
from supervisor.applied_file import Copies
from supervisor.changes import Change, Deed, changes
from supervisor.child import Place
from supervisor.chronicle import Chronicle
from supervisor.errors import ActionFailed, ReloadRefused, RestartRefused, SupervisorError
from supervisor.fleet import Fleet
from supervisor.inspection import Inspector
from supervisor.parts import Applied
from supervisor.scaler import processes_at_first
from supervisor.steps import Steps, nothing_to_do


class Reloader:
    """Knows what runs, and makes it what the file says.

    Each file is copied, and the copy is what is looked at and applied. ``hold`` hears of each step
    that has come about, so that what runs is always written down.
    """

    def __init__(
        self,
        config: Path,
        running: Applied,
        inspector: Inspector,
        chronicle: Chronicle,
        hold: Callable[[Applied], None],
        copies: Copies,
    ) -> None:
        self.running = running
        self._copies = copies
        self._file, self._files = config, dict[str, Path]()
        self._began_with: dict[Place, Path] = {}
        self._config = config
        self._inspector = inspector
        self._chronicle = chronicle
        self._hold = hold

    def file_of(self, worker: str) -> Path:
        """The copy of the topology file that was applied to a worker."""
        return self._files.get(worker, self._file)

    def file_for(self, place: Place) -> Path:
        """The copy for a process that starts now; it is kept for as long as that one lives."""
        file = self._began_with[place] = self.file_of(place.worker)
        return file

    def take_text(self, text: str) -> None:
        """Have all workers run what was read of the file at the start, whatever it is by now."""
        self._file = self._copies.keep_text(text.encode())
        self._copies.keep_only([self._file])

    def check(self, workers: Sequence[str]) -> Steps:
        """Whether workers could start anew, by what was applied to them and their functions as
        these are now.

        Raises RestartRefused.
        """
        for file in dict.fromkeys(map(self.file_of, workers)):
            concerned = [worker for worker in workers if self.file_of(worker) == file]
            try:
                yield from self._inspector.inspect(file, self._config, concerned)
            except ReloadRefused as error:
                raise RestartRefused(f"{error}; nothing was ended") from error

    def begin(
        self, fleet: Fleet, told: Callable[[Iterable[Change]], None] = lambda _: None
    ) -> Steps:
        """Apply the file as it is now; a file that cannot be used changes nothing.

        ``told`` hears what it changes, before anything is done.

        Raises ReloadRefused for such a file, and ActionFailed where a new process does not become
        ready: its worker goes on with the old one, and those applied before keep what is new.
        """
        try:
            yield from self._begin(fleet, told)
        finally:
            self._copies.keep_only(self._in_use(fleet))

    def _in_use(self, fleet: Fleet) -> set[Path]:
        live = {place for place, child in fleet.children.items() if child.state != "stopped"}
        self._began_with = {p: file for p, file in self._began_with.items() if p in live}
        return {self._file, *self._files.values(), *self._began_with.values()}

    def _begin(self, fleet: Fleet, told: Callable[[Iterable[Change]], None]) -> Steps:
        try:
            file = self._copies.take()
            found = yield from self._inspector.inspect(file, self._config)
            found = found.model_copy(update={"only": self.running.only})
            todo = changes(self.running, found)
        except SupervisorError as error:
            self._chronicle.tell(Action.RELOAD_REFUSED, str(error))
            raise
        told(todo)
        yield from self._apply(fleet, found, file, todo)

    def _apply(self, fleet: Fleet, found: Applied, file: Path, todo: list[Change]) -> Steps:
        done: list[str] = []
        for change in todo:
            after, before = between(self.running, found, change.worker), dict(self._files)
            self._files[change.worker] = file
            try:
                yield from _steps(fleet, after.topology, change)
            except SupervisorError as error:
                fleet.topology, self._files = self.running.topology, before
                self._chronicle.tell(Action.RELOAD_REFUSED, str(error), change.worker)
                raise ActionFailed(_how_far(error, done)) from error
            self._now(fleet, after)
            done.append(change.worker)
            words = "; ".join(change.what) or f"it is {change.deed.value}"
            details = {"deed": change.deed.value}
            self._chronicle.tell(Action.RELOADED, words, change.worker, details=details)
        self._now(fleet, found)
        self._file, self._files = file, {}
        self._chronicle.tell(Action.RELOADED, f"{self._config} is applied")

    def _now(self, fleet: Fleet, running: Applied) -> None:
        fleet.topology, self.running = running.topology, running
        self._hold(running)


def _how_far(error: SupervisorError, done: Sequence[str]) -> str:
    before = f"done before: {', '.join(dict.fromkeys(done))}; " if done else ""
    return f"{error}; {before}'penstock plan' shows what is left"


def between(old: Applied, new: Applied, worker: str) -> Applied:
    """What runs once one worker is as the new file says, and the others as they were.

    Streams of both files are there.
    """
    workers, parts = dict(old.topology.workers), dict(old.parts)
    if worker in new.topology.workers:
        workers[worker], parts[worker] = new.topology.workers[worker], new.parts[worker]
    else:
        workers.pop(worker)
        parts.pop(worker)
    streams = {**old.topology.streams, **new.topology.streams}
    merged = old.topology.model_copy(update={"workers": workers, "streams": streams})
    return Applied(topology=merged, parts=parts, only=old.only)


def _steps(fleet: Fleet, topology: Topology, change: Change) -> Steps:
    """What brings one change about, by the topology that holds afterwards."""
    worker = change.worker
    if change.deed is not Deed.REMOVED:
        fleet.topology = topology
    match change.deed:
        case Deed.REPLACED:
            return fleet.swap(worker)
        case Deed.ADDED:
            return fleet.add(worker, processes_at_first(fleet.topology, worker))
        case Deed.REMOVED:
            return fleet.remove(worker)
        case Deed.SCALED:
            return fleet.rescale(worker)
        case Deed.ADJUSTED:
            return nothing_to_do()
