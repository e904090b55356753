"""A fleet of stand-ins that runs, and a reload of it."""

from collections.abc import Collection, Generator, Sequence
from pathlib import Path

import structlog

from schemas.topology import Topology
from supervisor.applied_file import Copies
from supervisor.changes import Change
from supervisor.child import Child, Place
from supervisor.chronicle import Chronicle
from supervisor.errors import ReloadRefused
from supervisor.fleet import Fleet
from supervisor.inspection import Inspector
from supervisor.parts import Applied, applied
from supervisor.reload import Reloader
from tests.unit.supervisor.stand_ins import Machine, child_on, topology


def without(found: Topology, worker: str) -> Topology:
    workers = {name: its for name, its in found.workers.items() if name != worker}
    return found.model_copy(update={"workers": workers})


class Looking(Inspector):
    """Says what a file says without looking, or that it cannot be used."""

    def __init__(self, found: Applied | None) -> None:
        super().__init__()
        object.__setattr__(self, "found", found)

    def inspect(
        self, copy: Path, named: Path | None = None, workers: Sequence[str] = ()
    ) -> Generator[None, None, Applied]:
        yield
        found: Applied | None = self.found  # type: ignore[attr-defined]
        if found is None:
            raise ReloadRefused("no YAML")
        return found


class Scene:
    """A fleet that runs, and a reloader with a file that says ``found``."""

    def __init__(
        self,
        machine: Machine,
        directory: Path,
        found: Topology | None,
        old: Topology | None = None,
    ) -> None:
        self.machine = machine
        self.old = old or topology()
        self.fleet = Fleet(self.old, (), self._child, now_s=machine.clock)
        self.directory = directory
        self.chronicle = Chronicle()
        self.held: list[Applied] = []
        self.told: list[Change] = []
        self.file = directory / "a.yaml"
        self.reloader = Reloader(
            self.file, applied(self.old), Looking(None), self.chronicle, self.held.append,
            Copies(directory, self.file, structlog.get_logger()),
        )  # fmt: skip
        self.says(applied(found) if found else None)
        self.reloader.take_text("first")
        self.fleet.start()
        self.all_ready()
        self.file.write_text("second")

    def _child(self, place: Place) -> Child:
        self.reloader.file_for(place)
        return child_on(self.machine, self.directory, place)

    def says(self, found: Applied | None) -> None:
        """What the file says from now on."""
        object.__setattr__(self.reloader._inspector, "found", found)

    def all_ready(self, *, but: str = "", late: Collection[int] = ()) -> None:
        """All are heard, but for a label and for those that were started ``late``, by number."""
        for place, child in self.fleet.children.items():
            if child.state != "stopping":
                there = child.pid is not None and child.pid - 1000 not in late
                child.saw(there and place.label != but)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(self.reloader.file_of(worker).read_text() for worker in ("gate", "pass"))

    @property
    def began(self) -> set[str]:
        """What the file said to those that run."""
        live = [p for p, child in self.fleet.children.items() if child.pid is not None]
        return {self.reloader._began_with[place].read_text() for place in live}

    @property
    def copies(self) -> set[str]:
        return {copy.read_text() for copy in (self.directory / "applied").iterdir()}

    def run(self, *, but: str = "", late: Collection[int] = ()) -> None:
        for _ in self.reloader.begin(self.fleet, self.told.extend):
            self.fleet.look()
            self.machine.clock.at_s += 1.0
            self.all_ready(but=but, late=late)
        self.fleet.look()

    @property
    def labels(self) -> list[str]:
        return [place.label for place in self.fleet.children]
