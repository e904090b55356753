"""One process of a fake machine, the healer that looks after it, and a server where work waits."""

from pathlib import Path
from typing import Any

from schemas.topology import Topology
from streams.presence import Presence
from supervisor.announced import of_ours
from supervisor.child import Place
from supervisor.healer import Healer
from supervisor.vitals import Effort
from tests.unit.supervisor.stand_ins import Machine, child_on, presence, topology, went_on

PATIENT_S = 90.0  # the default: a deadline of a minute, and half a minute more


class Server:
    """Groups with entries that wait, and nothing that is ever settled."""

    def __init__(self, lag: int = 0) -> None:
        self.lag = lag

    def execute_command(self, command: str, *_: Any) -> Any:
        if command == "XINFO STREAM":
            return {"length": 99, "last-generated-id": b"9-0"}
        if command == "XINFO GROUPS":
            return [
                [b"name", name, b"lag", self.lag, b"pending", 0, b"last-delivered-id", b"1-0"]
                for name in (b"gate", b"pass")
            ]
        return [] if command == "XINFO CONSUMERS" else {}


def gate_with(**changes: Any) -> Topology:
    """The topology with other settings of the gate."""
    gate = topology().workers["gate"].model_copy(update=changes)
    return topology().model_copy(update={"workers": {**topology().workers, "gate": gate}})


class Ward:
    """A process of the gate that is looked after, ``ready`` or not; ``lag`` entries wait for it.

    What it has done so far is unknown, unless ``effort`` tells.
    """

    def __init__(
        self,
        machine: Machine,
        directory: Path,
        effort: Effort = lambda _: None,
        *,
        lag: int = 0,
        ready: bool = True,
    ) -> None:
        self.machine = machine
        self.child = child_on(machine, directory, Place("gate"))
        self.healer = Healer(20.0, effort)
        self.topology = topology()
        self._client: Any = Server(lag)
        self.child.start()
        self.child.saw(ready)

    @property
    def signals(self) -> list[int]:
        """What it was sent."""
        return self.machine.started[0].signals

    def line(self, **changes: Any) -> Presence:
        """What it says of itself."""
        assert self.child.pid is not None
        return presence("gate", self.child.pid).model_copy(update=changes)

    def heard(self, **changes: Any) -> None:
        """A look, at which it tells of itself."""
        self._look([self.line(**changes)])

    def silent(self, after_s: float = 0.0) -> None:
        """A look after so many seconds, at which it tells nothing."""
        self.machine.clock.at_s += after_s
        self._look([])

    def _look(self, lines: list[Presence]) -> None:
        found = of_ours(lines, [self.child])
        self.healer.look(self.machine.clock(), self._client, self.topology, [self.child], found)

    def followed(self, restarts: int = 1) -> None:
        """It ended by a fault, and its keeper has started another."""
        self.machine.started[-1].say(went_on(restarts))
        self.child.look()
