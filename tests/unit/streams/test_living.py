"""A process that is known by its id alone is told from a later one of the same id."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams import living
from streams.living import began_ticks, lives

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of processes so")


def test_an_id_that_was_given_again_is_another_process() -> None:
    began = began_ticks(os.getpid())
    assert began is not None
    assert lives(os.getpid(), began)
    assert lives(os.getpid(), None)
    assert not lives(os.getpid(), began + 1)


def test_who_has_ended_lives_no_more_though_nobody_has_asked_yet() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{process.pid}").exists()
    assert not lives(process.pid, None)
    process.wait()
    assert not lives(process.pid, None)


def test_a_name_may_hold_anything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(f"7 (a) Z (b) S {' '.join(map(str, range(4, 53)))}\n")
    monkeypatch.setattr(living, "_PROC", tmp_path)
    assert began_ticks(7) == 22  # the field's number in proc(5)


@pytest.mark.parametrize(
    ("error", "alive"), [(None, True), (ProcessLookupError, False), (PermissionError, False)]
)
def test_where_the_system_does_not_tell_any_of_ours_counts(
    error: type[OSError] | None,
    alive: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def kill(_: int, number: int) -> None:
        assert number == 0
        if error is not None:
            raise error

    monkeypatch.setattr(living, "_PROC", tmp_path)
    monkeypatch.setattr("os.kill", kill)
    assert lives(7, None) is alive
