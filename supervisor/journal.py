"""What a reload has done so far, process by process, and what undoes it."""

from collections.abc import Generator, Mapping

from supervisor.changes import Change, Deed
from supervisor.child import Place
from supervisor.errors import ActionFailed
from supervisor.fleet import Fleet
from supervisor.parts import MODULE, Applied, Part
from supervisor.steps import Steps, nothing_to_do


class Journal:
    """Remembers each change of one reload, and what the processes began with meanwhile.

    ``old`` is what ran before it, ``new`` what the file says.
    """

    def __init__(self, fleet: Fleet, old: Applied, new: Applied) -> None:
        self._fleet = fleet
        self._old, self._new = old, new
        self._by_hand = set(fleet.by_hand)
        self._changes: list[tuple[Change, list[Place]]] = []
        self._begin_with: dict[str, Part] = {}
        self._began: dict[Place, Part] = {}

    def note(self, change: Change) -> None:
        """A change is about to come about; processes of its worker begin with what is new."""
        self._changes.append((change, self._fleet.places(change.worker)))
        if change.worker in self._new.parts:
            self._begin_with[change.worker] = self._new.parts[change.worker]

    def began(self, place: Place) -> None:
        """A process begins."""
        if place.worker in self._begin_with:
            self._began[place] = self._begin_with[place.worker]

    def undo(self) -> Generator[None, None, list[str]]:
        """Undo every change, the last one first; return why some could not be undone.

        A process that is put back has the old settings, ready before the refused one drains. The
        old text of an author's module is gone, so one that differs in nothing else stays.
        """
        fleet, old, new = self._fleet, self._old.topology, self._new.topology
        both = {"workers": new.workers | old.workers, "streams": new.streams | old.streams}
        fleet.topology = old.model_copy(update=both)
        self._begin_with = {w: self._as_before(w) for w in self._begin_with if w in self._old.parts}
        failed: list[str] = []
        for change, places in reversed(self._changes):
            try:
                yield from self._undo(change, places)
            except ActionFailed as error:
                failed.append(str(error))
        fleet.by_hand = self._by_hand
        return failed

    def _undo(self, change: Change, before: list[Place]) -> Steps:
        worker = change.worker
        match change.deed:
            case Deed.REPLACED:
                return self._fleet.swap(worker, self._refused(worker))
            case Deed.ADDED:
                return self._fleet.remove(worker)
            case Deed.REMOVED:
                return self._fleet.add(worker, len(before))
            case Deed.SCALED:
                return self._fleet.put_back(worker, before)
            case Deed.ADJUSTED:
                return nothing_to_do()

    def _as_before(self, worker: str) -> Part:
        """What a process begins with that is put back: its modules are as they are by now."""
        old, new = self._old.parts[worker], self._new.parts[worker]
        return {n: new.get(n, its) if n.startswith(MODULE) else its for n, its in old.items()}

    def _refused(self, worker: str) -> list[Place]:
        """The processes of a worker that run settings which did not run before."""
        old = _settings(self._old.parts[worker])
        began = [(p, self._began[p]) for p in self._fleet.places(worker) if p in self._began]
        return [place for place, part in began if _settings(part) != old]

    def what_runs(self) -> Applied:
        """What ran before, less what no longer does; where a process runs anything else than its
        worker did, the worker's part says which, so that it differs from that of any file.
        """
        old = self._old
        gone = set(old.runs) - set(self._fleet.wanted)
        workers = {w: its for w, its in old.topology.workers.items() if w not in gone}
        topology = old.topology.model_copy(update={"workers": workers})
        parts = {worker: self._part_of(worker) for worker in workers}
        return old.model_copy(update={"topology": topology, "parts": parts})

    def _part_of(self, worker: str) -> dict[str, str]:
        old = self._old.parts[worker]
        return blended({p: self._began.get(p, old) for p in self._fleet.places(worker)}, old)


def _settings(part: Part) -> Part:
    return {name: its for name, its in part.items() if not name.startswith(MODULE)}


def blended(parts: Mapping[Place, Part], old: Part) -> dict[str, str]:
    """One part that stands for those of a worker's processes; ``old`` where there is none.

    >>> gate, second = Place("gate"), Place("gate", 1)
    >>> blended({gate: {"call": "a:b", "reads": "A"}, second: {"call": "a:c", "reads": "A"}}, {})
    {'call': 'a:b in gate, a:c in gate.replica1', 'reads': 'A'}
    """
    every = list(parts.values()) or [old]
    found: dict[str, str] = {}
    for name in dict.fromkeys(name for part in every for name in part):
        values = {part.get(name) for part in every}
        said = [f"{part.get(name, 'none')} in {place.label}" for place, part in parts.items()]
        found[name] = every[0][name] if len(values) == 1 else ", ".join(said)
    return found
