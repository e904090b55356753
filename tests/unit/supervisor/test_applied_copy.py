"""What workers run is what was applied, and who cannot start is told of."""

import signal
from pathlib import Path

import pytest
import structlog

from schemas.topology_file import TopologyError, read_topology
from supervisor.applied_file import Copies, path_of
from supervisor.child import Place
from supervisor.supervisor import Supervisor
from tests.servers.pipeline import SMALL, topology_from
from tests.unit.supervisor.stand_ins import a_machine
from tests.unit.supervisor.straw import WHAT_WAS_READ, supervised


def test_workers_run_the_file_that_was_applied_whatever_is_saved_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "streams.yaml"
    file.write_text("edited after it was read\n")
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
    assert copy.read_text() == WHAT_WAS_READ
    assert command[command.index("--named") + 1] == str(file)


def test_copies_of_a_supervisor_that_is_gone_are_removed(tmp_path: Path) -> None:
    file = tmp_path / "streams.yaml"
    file.write_text("before\n")
    before = Copies(tmp_path, file, structlog.get_logger()).take()
    with a_machine(step=0.01) as machine:
        supervised(machine, tmp_path, lambda supervisor: supervisor.end("a test"))
    assert not before.exists()
    assert len(list(before.parent.iterdir())) == 1


def test_what_was_read_at_the_start_is_what_is_checked_and_what_workers_read(
    tmp_path: Path,
) -> None:
    topology_from(SMALL, tmp_path)
    file = tmp_path / "streams.yaml"
    found = read_topology(file)
    sound = file.read_text()
    file.write_text(f"lans: 2\n{sound}")
    copy = Copies(tmp_path, file, structlog.get_logger()).keep_text(found.text.encode())
    assert read_topology(copy, named=file).topology == found.topology
    with pytest.raises(TopologyError, match="lans"):
        read_topology(file)


def test_what_was_applied_is_for_its_owner_alone(tmp_path: Path) -> None:
    old = tmp_path / "applied"
    old.mkdir(mode=0o755)
    (old / "left_over.new").touch(mode=0o644)
    with a_machine(step=0.01) as machine:
        supervised(machine, tmp_path, lambda supervisor: supervisor.end("a test"))
    (copy,) = old.iterdir()
    modes = [path.stat().st_mode & 0o777 for path in (old, copy, path_of(tmp_path))]
    assert modes == [0o700, 0o600, 0o600]


def test_a_file_that_cannot_be_copied_stands_for_its_copy_and_that_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "streams.yaml"
    file.write_text("now\n")
    (tmp_path / "applied").write_text("no directory")
    copies = Copies(tmp_path, file, structlog.get_logger())
    assert copies.take() == file
    assert "applied_not_written" in capsys.readouterr().out


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
