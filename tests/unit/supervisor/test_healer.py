"""The healer replaces running processes that stall, fall silent or grow; no others."""

import json
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.presence import Presence
from supervisor.announced import of_this_machine
from supervisor.child import Child, Place
from supervisor.healer import Healer, look_every_s, posts_of
from tests.unit.supervisor.stand_ins import Machine, a_machine, child_on, presence, topology

PATIENT_S = 90.0  # the default: a deadline of a minute, and half a minute more


class Server:
    """Groups with entries that wait, and nothing that is ever settled."""

    def __init__(self, lag: int = 0) -> None:
        self.lag = lag

    def execute_command(self, command: str, *_: Any) -> Any:
        if command == "XINFO STREAM":
            return {"length": 99, "last-generated-id": b"9-0"}
        if command == "XINFO GROUPS":
            names = ("name", "lag", "pending", "last-delivered-id")
            groups = [(b"gate", self.lag, 0, b"1-0"), (b"pass", self.lag, 0, b"1-0")]
            return [
                [
                    part
                    for pair in zip([n.encode() for n in names], row, strict=True)
                    for part in pair
                ]
                for row in groups
            ]
        return [] if command == "XINFO CONSUMERS" else {}


@pytest.fixture
def machine() -> Iterator[Machine]:
    with a_machine() as machine:
        yield machine


def running(machine: Machine, directory: Path, worker: str = "gate") -> Child:
    child = child_on(machine, directory, Place(worker))
    child.start()
    child.saw(True)
    return child


def look(
    healer: Healer, machine: Machine, child: Child, lines: list[Presence], **given: Any
) -> None:
    found = of_this_machine(lines)
    topology_: Topology = given.get("topology", topology())
    client: Any = given.get("client", Server())
    healer.look(machine.clock(), client, topology_, [child], found)


def line_of(child: Child, **changes: Any) -> Presence:
    assert child.pid is not None
    return presence(child.place.worker, child.pid).model_copy(update=changes)


def test_a_process_that_settles_nothing_is_drained_killed_and_started_again(
    tmp_path: Path,
) -> None:
    with a_machine(obedient=False) as machine:
        child, healer = running(machine, tmp_path), Healer(20.0)
        lines = [line_of(child)]
        look(healer, machine, child, lines, client=Server(lag=7))
        machine.clock.at_s += PATIENT_S
        look(healer, machine, child, lines, client=Server(lag=7))
        assert machine.started[0].signals == [signal.SIGTERM]
        assert (child.state, child.ready) == ("stopping", False)
        assert "7 entries wait" in child.reason
        machine.clock.at_s += 3
        child.look()
        child.look()
        assert machine.started[0].signals == [signal.SIGTERM, signal.SIGKILL]
        assert child.state == "backing_off"
        machine.clock.at_s += 1
        child.look()
        assert (child.state, child.restarts, len(machine.started)) == ("starting", 1, 2)


@pytest.mark.parametrize("state", ["standby", "replaying", "waiting", "starting", "draining"])
def test_who_does_not_take_entries_now_does_not_stall(
    machine: Machine, tmp_path: Path, state: str
) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0)
    for _ in range(5):
        look(healer, machine, child, [line_of(child, state=state)], client=Server(lag=7))
        machine.clock.at_s += PATIENT_S
    assert machine.started[0].signals == []


def test_an_outage_gives_everybody_a_new_start(machine: Machine, tmp_path: Path) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0)
    for lines in ([line_of(child)], []):
        look(healer, machine, child, lines, client=Server(lag=7))
        machine.clock.at_s += 1000.0
        healer.forget()
    look(healer, machine, child, [], client=Server(lag=7))
    assert machine.started[0].signals == []


def test_a_process_that_lives_and_tells_nothing_is_replaced(
    machine: Machine, tmp_path: Path
) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: None)
    look(healer, machine, child, [line_of(child)])
    look(healer, machine, child, [])
    machine.clock.at_s += PATIENT_S
    look(healer, machine, child, [])
    assert machine.started[0].signals == []
    machine.clock.at_s += topology().delivery.lease
    look(healer, machine, child, [])
    assert machine.started[0].signals == [signal.SIGTERM]
    assert "told nothing of itself for 100 s" in child.reason


def test_a_frozen_process_is_replaced_soon_after_its_lease_ran_out(
    machine: Machine, tmp_path: Path
) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: 7)
    look(healer, machine, child, [line_of(child)])
    look(healer, machine, child, [])
    machine.clock.at_s += 1.9
    look(healer, machine, child, [])
    assert machine.started[0].signals == []
    assert "told nothing of itself" in child.reason
    machine.clock.at_s += 0.1
    look(healer, machine, child, [])
    assert machine.started[0].signals == [signal.SIGTERM]
    assert child.reason == (
        "it is frozen: it told nothing of itself for longer than its lease of 10 s, and for 2 s "
        "has used no processor time"
    )


def test_who_is_silent_and_works_has_as_long_as_any_other(machine: Machine, tmp_path: Path) -> None:
    effort = count()
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: next(effort))
    look(healer, machine, child, [line_of(child)])
    for _ in range(9):
        look(healer, machine, child, [])
        machine.clock.at_s += 10.0
    assert machine.started[0].signals == []
    look(healer, machine, child, [line_of(child)])
    assert child.reason == ""


def test_who_rebuilds_its_state_is_not_judged_as_frozen(machine: Machine, tmp_path: Path) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: 7)
    look(healer, machine, child, [line_of(child, state="replaying", ready=False)])
    for _ in range(9):
        look(healer, machine, child, [])
        machine.clock.at_s += 10.0
    assert machine.started[0].signals == []
    machine.clock.at_s += 10.0
    look(healer, machine, child, [])
    assert machine.started[0].signals == [signal.SIGTERM]


def test_who_was_not_heard_since_an_outage_has_a_lease_to_come_back(
    machine: Machine, tmp_path: Path
) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: 7)
    look(healer, machine, child, [line_of(child)])
    healer.forget()
    look(healer, machine, child, [])
    machine.clock.at_s += 12.9
    look(healer, machine, child, [])
    assert machine.started[0].signals == []
    machine.clock.at_s += 0.1
    look(healer, machine, child, [])
    assert machine.started[0].signals == [signal.SIGTERM]


def ended_and_followed(machine: Machine, child: Child, restarts: int) -> None:
    said = {"event": "process_ended", "level": "error", "reason": "ended", "restarts": restarts}
    machine.started[-1].say(json.dumps(said))
    child.look()


@pytest.mark.parametrize("outage", [False, True])
def test_a_process_that_follows_another_is_not_frozen_while_it_starts(
    machine: Machine, tmp_path: Path, outage: bool
) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: 7)
    look(healer, machine, child, [line_of(child)])
    ended_and_followed(machine, child, 1)
    if outage:
        healer.forget()
    for _ in range(9):
        look(healer, machine, child, [])
        machine.clock.at_s += 10.0
    assert machine.started[0].signals == []
    assert "told nothing of itself for 80 s" in child.reason
    machine.clock.at_s += 10.0
    look(healer, machine, child, [])
    assert machine.started[0].signals == [signal.SIGTERM]


def test_imports_have_half_a_minute_however_short_the_patience_is(
    machine: Machine, tmp_path: Path
) -> None:
    gate = topology().workers["gate"].model_copy(update={"stalled_after": 1.0})
    hasty = topology().model_copy(update={"workers": {**topology().workers, "gate": gate}})
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: 7)
    look(healer, machine, child, [line_of(child)], topology=hasty)
    ended_and_followed(machine, child, 1)
    look(healer, machine, child, [], topology=hasty)
    machine.clock.at_s += 29.9
    look(healer, machine, child, [], topology=hasty)
    assert machine.started[0].signals == []
    machine.clock.at_s += 0.1
    look(healer, machine, child, [], topology=hasty)
    assert machine.started[0].signals == [signal.SIGTERM]


def test_a_process_that_follows_a_silent_one_has_a_silence_of_its_own(
    machine: Machine, tmp_path: Path
) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: 7)
    look(healer, machine, child, [line_of(child)])
    look(healer, machine, child, [])
    machine.clock.at_s += 1.9
    ended_and_followed(machine, child, 1)
    look(healer, machine, child, [])
    machine.clock.at_s += PATIENT_S
    look(healer, machine, child, [])
    assert machine.started[0].signals == []
    assert "told nothing of itself for 90 s" in child.reason


def test_a_process_that_followed_another_and_was_heard_can_freeze(
    machine: Machine, tmp_path: Path
) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: 7)
    look(healer, machine, child, [line_of(child)])
    ended_and_followed(machine, child, 1)
    look(healer, machine, child, [])
    look(healer, machine, child, [line_of(child, restarts=1)])
    look(healer, machine, child, [])
    machine.clock.at_s += 2.0
    look(healer, machine, child, [])
    assert machine.started[0].signals == [signal.SIGTERM]
    assert "it is frozen" in child.reason


def test_who_is_heard_again_after_an_outage_is_no_longer_said_to_be_silent(
    machine: Machine, tmp_path: Path
) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0, lambda _: None)
    look(healer, machine, child, [line_of(child)])
    look(healer, machine, child, [])
    assert "told nothing of itself" in child.reason
    healer.forget()
    look(healer, machine, child, [line_of(child)])
    assert (child.state, child.reason) == ("running", "")


def test_who_never_was_ready_is_left_to_start(machine: Machine, tmp_path: Path) -> None:
    child, healer = child_on(machine, tmp_path), Healer(20.0)
    child.start()
    for _ in range(5):
        look(healer, machine, child, [], client=Server(lag=7))
        machine.clock.at_s += PATIENT_S
    assert machine.started[0].signals == []


def test_a_process_past_its_memory_is_drained_and_comes_back(
    machine: Machine, tmp_path: Path
) -> None:
    gate = topology().workers["gate"].model_copy(update={"max_memory": 2_000_000})
    limited = topology().model_copy(update={"workers": {**topology().workers, "gate": gate}})
    child, healer = running(machine, tmp_path), Healer(20.0)
    look(healer, machine, child, [line_of(child)], topology=limited)
    assert machine.started[0].signals == []
    look(healer, machine, child, [line_of(child, rss_bytes=2_000_001)], topology=limited)
    assert machine.started[0].signals == [signal.SIGTERM]
    child.look()
    machine.clock.at_s += 1
    child.look()
    assert (child.state, len(machine.started)) == ("starting", 2)


def test_a_replaced_process_that_somebody_stops_stays_stopped(
    machine: Machine, tmp_path: Path
) -> None:
    child, healer = running(machine, tmp_path), Healer(20.0)
    look(healer, machine, child, [line_of(child)], client=Server(lag=7))
    machine.clock.at_s += PATIENT_S
    look(healer, machine, child, [line_of(child)], client=Server(lag=7))
    child.stop()
    child.look()
    machine.clock.at_s += 60
    child.look()
    assert (child.state, len(machine.started)) == ("stopped", 1)


def test_lines_of_workers_or_lanes_that_are_gone_are_no_posts(
    machine: Machine, tmp_path: Path
) -> None:
    child = running(machine, tmp_path)
    lines = [line_of(child), line_of(child, lane=5), line_of(child, worker="gone")]
    (process,) = of_this_machine(lines[:2]).values()
    assert [post.lane for post in posts_of(topology(), process)] == [0]
    (process,) = of_this_machine(lines[2:]).values()
    assert posts_of(topology(), process) == []


def test_the_least_patience_says_how_often_the_groups_are_looked_at() -> None:
    assert look_every_s(topology()) == 5.0
    gate = topology().workers["gate"].model_copy(update={"stalled_after": 2.0})
    hasty = topology().model_copy(update={"workers": {**topology().workers, "gate": gate}})
    assert look_every_s(hasty) == 0.5
