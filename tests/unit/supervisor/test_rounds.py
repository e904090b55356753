"""What the supervisor asks its server in a turn, and how long it waits for one that is away."""

import signal
from pathlib import Path
from typing import Any

import pytest
import structlog
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TooLate

from schemas.supervisor_event import Action
from streams.keys import PRESENCE
from streams.presence import Presence
from supervisor import estate
from supervisor.fleet import Fleet
from supervisor.rounds import Rounds
from tests.unit.supervisor.stand_ins import Machine, child_on, presence, topology

TIMEOUT_S = 2.0


class Hanging:
    """A server that lets every command run into its time-out while it hangs; it knows ``lines``."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.hangs = True
        self.lines: list[Presence] = []
        self.asked: list[float] = []

    def execute_command(self, command: str, *asked: Any) -> Any:
        if self.hangs:
            self.machine.clock.at_s += TIMEOUT_S
            self.asked.append(self.machine.clock.at_s)
            raise TooLate("no answer")
        if command.startswith("XINFO"):
            raise ResponseError("no such key")
        if command == "HGETALL" and asked[0] == PRESENCE:
            return {line.field.encode(): line.model_dump_json().encode() for line in self.lines}
        return {}


class Turns:
    """The turns of a supervisor whose fleet was started."""

    def __init__(self, machine: Machine, directory: Path) -> None:
        self.machine = machine
        self.server = Hanging(machine)
        self.fleet = Fleet(
            topology(), (), lambda place: child_on(machine, directory, place), now_s=machine.clock
        )
        self.fleet.start()
        self._rounds = Rounds(
            self.fleet, machine.chronicle, structlog.get_logger(), machine.clock, 20.0
        )

    @property
    def gate(self) -> Any:
        return next(iter(self.fleet.children.values()))

    def turn(self, after_s: float = 0.0) -> None:
        self.machine.clock.at_s += after_s
        self.fleet.look()
        client: Any = self.server
        self._rounds.go(client, may_scale=True)


@pytest.fixture
def turns(machine: Machine, tmp_path: Path) -> Turns:
    return Turns(machine, tmp_path)


def test_a_turn_waits_for_nothing_while_the_server_hangs_whoever_has_died(turns: Turns) -> None:
    turns.turn()
    assert len(turns.server.asked) == 1
    turns.machine.end(-signal.SIGKILL)
    for _ in range(9):
        turns.turn(0.01)
    assert len(turns.server.asked) == 1


def test_the_pause_begins_when_the_failure_is_known(turns: Turns) -> None:
    turns.turn()
    (failed_at_s,) = turns.server.asked
    turns.turn(0.09)  # the first pause is 0.1 s at least, 0.2 s at most
    assert len(turns.server.asked) == 1
    turns.turn(0.22)
    assert len(turns.server.asked) == 2
    assert turns.server.asked[1] - failed_at_s == pytest.approx(0.31 + TIMEOUT_S)


def test_leases_of_those_that_died_meanwhile_are_settled_once_the_server_is_back(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (Action.LEASE_BROKEN.value, "pass")
    monkeypatch.setattr(estate, "break_lease", lambda *_: True)
    turns.server.lines = [presence("pass", turns.machine.started[-1].pid)]
    turns.turn()
    turns.machine.end(-signal.SIGKILL)
    turns.turn()
    assert broken not in turns.machine.chronicle.counts
    turns.server.hangs = False
    turns.turn(60.0)
    assert turns.machine.chronicle.counts[broken] == 1


def test_who_starts_is_not_told_as_ready_by_a_line_that_another_left_behind(turns: Turns) -> None:
    turns.server.hangs = False
    gate = turns.gate
    turns.machine.epoch_s = 5000.0
    gate.start()
    stale = presence("gate", gate.pid).model_copy(update={"restarts": 8, "started_at_s": 4000.0})
    turns.server.lines = [stale]
    turns.turn()
    assert (gate.state, gate.ready, gate.restarts) == ("starting", False, 0)
    assert turns.fleet.view()[0].not_before_s == 5000.0
    own = {"consumer": f"{stale.consumer}d", "restarts": 0, "started_at_s": 5000.1}
    turns.server.lines = [stale.model_copy(update=own), stale]
    turns.turn()
    assert (gate.state, gate.ready, gate.restarts) == ("running", True, 0)


@pytest.mark.parametrize("set_by_s", [-3600.0, 3600.0])
def test_who_started_while_the_clock_was_set_is_heard(turns: Turns, set_by_s: float) -> None:
    turns.server.hangs = False
    gate = turns.gate
    turns.machine.epoch_s = 5000.0
    gate.start()
    turns.machine.epoch_s += set_by_s
    line = presence("gate", gate.pid).model_copy(update={"started_at_s": turns.machine.epoch_s})
    turns.server.lines = [line]
    turns.turn()
    assert gate.ready
