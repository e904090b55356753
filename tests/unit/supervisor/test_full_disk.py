"""What cannot be written down stops no work: /dev/full is a disk without room."""

import sys

import pytest
import structlog
import typer

from streams.errors import DiskFull
from streams.logs import configure_logs
from supervisor.edge import edge
from supervisor.exits import Exit
from supervisor.foreground import _say


@pytest.fixture
def _nowhere_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, open("/dev/full", "w", buffering=1))  # noqa: SIM115


@pytest.mark.usefixtures("_nowhere_to_write")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_logs_lines_and_errors_that_cannot_be_written_are_dropped() -> None:
    configure_logs()
    structlog.get_logger().error("nobody_reads_this")
    _say("ready", "in 1 s")
    with pytest.raises(typer.Exit) as left, edge():
        raise DiskFull("there is no room")
    assert left.value.exit_code == Exit.DISK_FULL
