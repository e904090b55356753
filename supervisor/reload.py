"""Applies a changed topology file to the workers that run, worker by worker."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
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
from supervisor.journal import Journal
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
        self._journal: Journal | None = None
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
        if self._journal is not None:
            self._journal.began(place)
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
                said = f"{error}; nothing was ended{self._since(file)}"
                raise RestartRefused(said) from error

    def _since(self, copy: Path) -> str:
        """That the file is another one by now than its copy that was applied, if it is."""
        with suppress(OSError):  # one that cannot be read can be applied no more than it was
            if self._config.read_bytes() != copy.read_bytes():
                return "; the file has changed since, apply it with 'penstock reload'"
        return ""

    def begin(
        self, fleet: Fleet, told: Callable[[Iterable[Change]], None] = lambda _: None
    ) -> Steps:
        """Apply the file as it is now, or nothing of it.

        ``told`` hears what it changes, before anything is done.

        Raises ReloadRefused for a file that cannot be used, which changes nothing, and ActionFailed
        where a new process does not become ready: what was done before is undone. Whatever could
        not be undone is told, and differs from the file for 'penstock plan' and the next reload.
        """
        try:
            yield from self._begin(fleet, told)
        finally:
            self._journal = None
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
        old, self._journal = self.running, Journal(fleet, self.running, found)
        for change in todo:
            self._journal.note(change)
            try:
                yield from self._bring_about(fleet, found, file, change)
            except SupervisorError as error:
                self._chronicle.tell(Action.RELOAD_REFUSED, str(error), change.worker)
                done = dict.fromkeys(each.worker for each in todo[: todo.index(change)])
                left = yield from self._go_back(fleet, old, self._journal, done)
                raise ActionFailed(f"{error}; {left}") from error
        self._now(fleet, found)
        self._file, self._files = file, {}
        self._chronicle.tell(Action.RELOADED, f"{self._config} is applied")

    def _bring_about(self, fleet: Fleet, found: Applied, file: Path, change: Change) -> Steps:
        after = between(self.running, found, change.worker)
        self._files[change.worker] = file
        yield from _steps(fleet, after.topology, change)
        self._now(fleet, after)
        words = "; ".join(change.what) or f"it is {change.deed.value}"
        details = {"deed": change.deed.value}
        self._chronicle.tell(Action.RELOADED, words, change.worker, details=details)

    def _go_back(
        self, fleet: Fleet, old: Applied, journal: Journal, done: Iterable[str]
    ) -> Generator[None, None, str]:
        """Have what ran before run again; return in words how far that came about."""
        self._files = {}
        failed = yield from journal.undo()
        self._now(fleet, journal.what_runs())
        left = {change.worker: change for change in changes(self.running, old)}
        for change in left.values():
            self._chronicle.tell(Action.RELOAD_REFUSED, _not_as_before(change), change.worker)
        back = [worker for worker in done if worker not in left]
        for worker in back:
            self._chronicle.tell(Action.RELOADED, "it is as before, for the reload failed", worker)
        return _how_far(back, failed, list(left.values()))

    def _now(self, fleet: Fleet, running: Applied) -> None:
        fleet.topology, self.running = running.topology, running
        self._hold(running)


def _not_as_before(change: Change) -> str:
    what = "; ".join(change.what) or "it does not run"
    return f"{change.worker} is not as before: {what}"


def _how_far(back: Sequence[str], failed: Sequence[str], left: Sequence[Change]) -> str:
    said = [f"undone: {', '.join(back)}"] if back else []
    said += [f"to undo it, {why}" for why in failed]
    said += map(_not_as_before, left)
    shown = "'penstock plan' shows what is left, and 'penstock reload' mends it"
    return "; ".join([*said, shown if left else "nothing of the file is applied"])


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
