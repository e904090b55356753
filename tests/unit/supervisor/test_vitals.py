"""Whether a process does anything, as the system tells it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from supervisor import vitals
from supervisor.vitals import effort_ns
from tests.servers.kinds import halt
from tests.servers.pipeline import until
from tests.servers.watched import forked_by, works_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these files")

KEEPER = "import os, time\nif os.fork(): os.wait()\nwhile True: time.sleep(0.01)"


@contextmanager
def kept(program: str) -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", program], start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            for pid in (*forked_by(process.pid), process.pid):
                os.kill(pid, signal.SIGKILL)


def wakes(keeper: int) -> None:
    """Wait until it has used more processor time than it has now."""
    before = until(lambda: effort_ns(keeper))
    until(lambda: (effort_ns(keeper) or 0) > before)


def test_who_sleeps_and_wakes_uses_some_and_who_is_halted_none() -> None:
    with kept(KEEPER) as keeper, kept(KEEPER) as other:
        wakes(keeper)
        halt(works_for(keeper))
        at_the_halt = effort_ns(keeper)
        assert at_the_halt is not None
        for _ in range(10):
            wakes(other)  # meanwhile one that was not halted would have woken, too
        assert effort_ns(keeper) == at_the_halt


def test_nothing_is_known_of_one_that_has_forked_nobody_or_is_gone() -> None:
    with kept("import time; time.sleep(600)") as keeper:
        assert effort_ns(keeper) is None
    assert effort_ns(keeper) is None


def test_nothing_is_known_where_the_system_has_the_file_and_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, thread = tmp_path / "7/task/7", tmp_path / "8/task/8"
    for directory in (keeper, thread):
        directory.mkdir(parents=True)
    (keeper / "children").write_text("8 ")
    monkeypatch.setattr(vitals, "_PROC", tmp_path)
    (thread / "schedstat").write_text("0 0 0\n")
    assert effort_ns(7) is None
    (thread / "schedstat").write_text("5 0 1\n")
    assert effort_ns(7) == 5
