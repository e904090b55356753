"""What workers run is what was applied, and who cannot start is told of."""

import signal
from pathlib import Path

from supervisor import applied_file
from supervisor.child import Place
from supervisor.supervisor import Supervisor
from tests.unit.supervisor.stand_ins import a_machine
from tests.unit.supervisor.straw import supervised


def test_workers_run_the_file_that_was_applied_whatever_is_saved_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "streams.yaml"
    file.write_text("what was applied\n")
    with a_machine(step=0.01) as machine:

        def edit_and_kill(supervisor: Supervisor) -> None:
            file.write_text("lans: 2\n")
            machine.started[0].code = -signal.SIGKILL
            while len(machine.started) < 3:
                supervisor._look_at_children()
                machine.clock.at_s += 1.0
            supervisor.end("a test")

        supervised(machine, tmp_path, edit_and_kill)
    command = machine.started[2].command
    copy = Path(command[command.index("--config") + 1])
    assert copy.read_text() == "what was applied\n"
    assert command[command.index("--named") + 1] == str(file)


def test_copies_of_a_supervisor_that_is_gone_are_removed(tmp_path: Path) -> None:
    file = tmp_path / "streams.yaml"
    file.write_text("before\n")
    before = applied_file.copy(tmp_path, file)
    file.write_text("now\n")
    with a_machine(step=0.01) as machine:
        supervised(machine, tmp_path, lambda supervisor: supervisor.end("a test"))
    assert not before.exists()
    assert len(list(before.parent.iterdir())) == 1


def test_a_process_that_cannot_start_is_told_of_once_and_the_others_go_on(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    with a_machine(step=0.01) as machine:

        def broken(supervisor: Supervisor) -> None:
            supervisor._on_broken = lambda *said: told.append(said)
            for _ in range(2):
                machine.started[-1].say("KeyError: 'x'")
                machine.started[-1].code = 1
                supervisor._fleet.children[Place("pass")].state = "starting"
                supervisor._turn()
                machine.clock.at_s += 31.0
                supervisor._turn()
            assert supervisor._fleet.children[Place("gate")].ready
            supervisor.end("a test")

        supervised(machine, tmp_path, broken)
    assert told == [("pass", "KeyError: 'x'")]
