"""All worker processes of a topology: which there should be, and bringing that about."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from schemas.supervisor_event import Action
from schemas.topology import Topology
from schemas.topology_graph import did_you_mean, exclusive
from supervisor.child import Child, ChildState, Place
from supervisor.chronicle import Chronicle
from supervisor.errors import ActionFailed, CannotScale, RestartRefused, UnknownWorker
from supervisor.patience import Patience
from supervisor.scaler import processes_at_first
from supervisor.steps import Steps, nothing_to_do
from supervisor.worker_log import Line


@dataclass(frozen=True, slots=True)
class ChildView:
    """A child as it stood at one moment, for other threads to read; ``lanes`` it serves now."""

    place: Place
    pid: int | None
    state: ChildState
    ready: bool
    restarts: int
    reason: str
    lanes: tuple[int, ...] = ()
    not_before_s: float = 0.0


class Fleet:
    """The children of one supervisor.

    ``only`` names the workers to run, all if empty. ``make`` builds a child for a place. In a
    restart a process has ``drain_s`` to end before it is killed, and ``ready_s`` to become ready.
    ``check`` raises RestartRefused where workers could not start anew.
    ``by_hand`` are the workers that somebody scaled, so nothing else does.

    Raises UnknownWorker when ``only`` names one that the topology lacks.
    """

    def __init__(
        self,
        topology: Topology,
        only: Collection[str],
        make: Callable[[Place], Child],
        *,
        drain_s: float = 20.0,
        ready_s: float = 30.0,
        now_s: Callable[[], float] = time.monotonic,
        chronicle: Chronicle | None = None,
        check: Callable[[Sequence[str]], Steps] = lambda _: nothing_to_do(),
    ) -> None:
        self._check = check
        self._chronicle = chronicle or Chronicle()
        self._patience = Patience(drain_s, ready_s, now_s)
        self.topology = topology
        self._make = make
        self._gone: Counter[str] = Counter()
        self._known(only)
        self.by_hand: set[str] = set()
        self._due: dict[str, list[Place]] = {}
        for name in topology.workers:
            if not only or name in only:
                self._due[name] = self._places_for(name, processes_at_first(topology, name))
        self.children: dict[Place, Child] = {}

    @property
    def wanted(self) -> dict[str, int]:
        """How many processes of each worker there should be."""
        return {name: len(places) for name, places in self._due.items()}

    @property
    def ready(self) -> bool:
        """Whether every process that there should be is there and takes entries."""
        due = [place for places in self._due.values() for place in places]
        return all(place in self.children and self.children[place].ready for place in due)

    @property
    def alive(self) -> bool:
        """Whether any process still lives."""
        return any(child.pid is not None for child in self.children.values())

    def places(self, worker: str) -> list[Place]:
        """A worker's processes as they should be; they share its lanes among themselves."""
        return list(self._due.get(worker, ()))

    def start(self) -> None:
        """Start every process that there should be and is not."""
        for places in self._due.values():
            for place in places:
                child = self.children.get(place)
                if child is None:
                    self._begin(place)
                elif child.state == "stopped":
                    child.start()

    def _begin(self, place: Place) -> Child:
        child = self.children[place] = self._make(place)
        child.start()
        return child

    def look(self) -> list[tuple[Child, list[Line]]]:
        """Look at every child; return what each has written, and let go of those scaled away."""
        written = [(child, child.look()) for child in self.children.values()]
        due = {place for places in self._due.values() for place in places}
        for place, child in list(self.children.items()):
            if place not in due and child.state == "stopped":
                self._gone[place.worker] += self.children.pop(place).restarts
        return written

    def stop(self) -> None:
        """Tell every process at once to drain and end."""
        for child in self.children.values():
            child.stop()

    def kill(self) -> list[str]:
        """End at once what still lives; return the names."""
        left = [child for child in self.children.values() if child.pid is not None]
        for child in left:
            child.kill()
        return [child.place.label for child in left]

    def waits_s(self) -> float | None:
        """Seconds until the next child is due, or None."""
        return min(
            (w for c in self.children.values() if (w := c.waits_s) is not None), default=None
        )

    def misconfigured(self) -> dict[str, str]:
        """The processes that cannot start, by name, and why in their own words."""
        broken = [child for child in self.children.values() if child.state == "misconfigured"]
        return {child.place.label: child.reason for child in broken}

    def restarts(self) -> dict[str, int]:
        """Starts after unasked ends, by worker, since the supervisor began."""
        counted = Counter({name: self._gone[name] for name in self._due})
        for place, child in self.children.items():
            counted[place.worker] += child.restarts
        return dict(counted)

    def view(self) -> tuple[ChildView, ...]:
        """Every child as it stands now."""
        return tuple(
            ChildView(p, c.pid, c.state, c.ready, c.restarts, c.reason, c.lanes, c.not_before_s)
            for p, c in self.children.items()
        )

    def restart(self, names: Sequence[str]) -> Steps:
        """Restart workers (all, if none is named), a process at a time, each ready before the next.

        None is ended before it is known that all of them could start.

        Raises UnknownWorker, and what ``check`` raises.
        """
        self._known(names, self._due)
        return self._rolling([worker for worker in self._due if not names or worker in names])

    def _rolling(self, workers: Sequence[str]) -> Steps:
        try:
            yield from self._check(workers)
        except RestartRefused as error:
            self._chronicle.tell(Action.RESTART_REFUSED, str(error))
            raise
        told = set[str]()
        for place, child in [(p, c) for p, c in self.children.items() if p.worker in workers]:
            yield from self._patience.end([child])
            if place.worker not in told:
                told.add(place.worker)
                why = "somebody asked for it"
                self._chronicle.tell(Action.RESTARTED_BY_HAND, why, place.worker)
            child.start()
            yield from self._patience.become_ready([child])

    def scale(self, worker: str, processes: int, why: str = "") -> Steps:
        """Give a worker that many processes; it holds until the supervisor ends.

        ``why`` says what asked for it; when empty, somebody did.

        Raises UnknownWorker, and CannotScale where a worker that owns its lanes alone would have
        more processes than lanes; ActionFailed where one does not become ready, and the number
        holds all the same.
        """
        self._known([worker], self._due)
        lanes = self.topology.lanes
        if exclusive(self.topology.workers[worker]) and processes > lanes:
            raise CannotScale(
                f"worker {worker!r} owns each of its {lanes} lane(s) alone, so {processes} "
                "processes would leave some idle; to spread it further, raise 'lanes'"
            )
        if not why:
            self.by_hand.add(worker)
        before = len(self.places(worker))
        steps = self._to(
            worker, self._places_for(worker, processes), why or "somebody asked for it"
        )
        return _holding(steps, worker, before, processes)

    def rescale(self, worker: str) -> Steps:
        """Give a worker as many processes as its topology says by now."""
        self.by_hand.discard(worker)
        replicas, before = self.topology.workers[worker].replicas, len(self.places(worker))
        first = processes_at_first(self.topology, worker)
        follows = replicas.fixed or exclusive(self.topology.workers[worker])
        after = first if follows else replicas.within(before)
        return self._to(worker, self._places_for(worker, after), "the topology file says so")

    def put_back(self, worker: str, places: Sequence[Place]) -> Steps:
        """Have exactly these processes of a worker again, after a reload that failed."""
        return self._to(worker, places, "the reload failed")

    def _to(self, worker: str, places: Sequence[Place], why: str) -> Steps:
        before, self._due[worker] = len(self.places(worker)), list(places)
        if len(places) != before:
            details = {"before": before, "after": len(places)}
            self._chronicle.tell(Action.SCALED, why, worker, details=details)
        return self._scaling(worker)

    def _places_for(self, worker: str, processes: int) -> list[Place]:
        """The lowest places there are, and the lowest that are free."""
        kept = sorted(self.places(worker), key=lambda place: place.replica)[:processes]
        taken = {place.replica for place in kept}
        free = (replica for replica in count() if replica not in taken)
        more = [Place(worker, next(free)) for _ in range(processes - len(kept))]
        return [*kept, *more]

    def _scaling(self, worker: str) -> Steps:
        due = self.places(worker)
        leaving = [c for p, c in self.children.items() if p.worker == worker and p not in due]
        yield from self._patience.end(leaving)
        self.start()
        yield from self._patience.become_ready(
            [self.children[place] for place in self.places(worker)]
        )

    def add(self, worker: str, processes: int) -> Steps:
        """Start a worker that was not there; one that does not become ready is ended again.

        Raises ActionFailed.
        """
        self._due[worker] = self._places_for(worker, processes)
        self.start()
        try:
            yield from self._patience.become_ready(
                [self.children[place] for place in self.places(worker)]
            )
        except ActionFailed:
            yield from self.remove(worker)
            raise

    def remove(self, worker: str) -> Steps:
        """Drain a worker for good."""
        leaving = [self.children[p] for p in self._due.pop(worker, []) if p in self.children]
        yield from self._patience.end(leaving)

    def swap(self, worker: str, places: Sequence[Place] | None = None) -> Steps:
        """Put a new process in the place of each of a worker's, ready before the old one drains.

        ``places`` are those concerned, all of the worker's if None. A new one that does not become
        ready is ended, and the old one stays, with those that would have followed.

        Raises ActionFailed.
        """
        for old in self.places(worker) if places is None else places:
            taken = {place.replica for place in self.children if place.worker == worker}
            new = Place(worker, next(number for number in count() if number not in taken))
            child = self._begin(new)
            try:
                yield from self._patience.become_ready([child])
            except ActionFailed:
                yield from self._patience.end([child])
                raise
            self._due[worker] = [new if place == old else place for place in self._due[worker]]
            yield from self._patience.end([self.children[old]])

    def _known(self, names: Collection[str], among: dict[str, Any] | None = None) -> None:
        known = self.topology.workers if among is None else among
        for name in names:
            if name not in known:
                near = did_you_mean(name, list(known))
                raise UnknownWorker(
                    f"there is no worker {name!r}{near}; there are {', '.join(known)}"
                )


def _holding(steps: Steps, worker: str, before: int, after: int) -> Steps:
    try:
        yield from steps
    except ActionFailed as error:
        holds = f"{after} process(es) stay wanted, and go on being tried"
        back = f"; 'penstock scale {worker} {before}' takes that back" if before != after else ""
        raise ActionFailed(f"{error}; {holds}{back}") from error
