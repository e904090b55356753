"""A worker's log is followed whatever stands in it, and whatever happens to the file."""

import json
import logging
from pathlib import Path

import pytest
import structlog
from structlog.testing import CapturingLogger

from supervisor.worker_log import Line, WorkerLog

_NAMES = ("worker", "process", "self", "event", "level", "timestamp", "args", "method_name")


def followed(path: Path) -> WorkerLog:
    log = WorkerLog(path)
    log.open().close()
    return log


def texts(log: WorkerLog) -> list[str]:
    return [line.text for line in log.fresh()]


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.mark.parametrize("name", [*_NAMES, "exc_info", "stack_info", "exception", "stack", "a b"])
def test_any_field_of_a_line_can_be_told_in_the_log_of_the_supervisor(
    tmp_path: Path, name: str
) -> None:
    log = followed(tmp_path / "gate.log")
    append(log.path, json.dumps({"event": "slow", "level": "error", name: "41"}) + "\n")
    (line,) = log.fresh()
    out = CapturingLogger()
    logger = structlog.wrap_logger(
        out,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
    )
    logger.error(line.event, process="gate", **line.told)
    assert "process=gate" in out.calls[0].args[0]


@pytest.mark.parametrize("said", ["[" * 100_000, '{"a": NaN', '{"event": []}', "\udcff", "42"])
def test_whatever_is_printed_is_a_line(tmp_path: Path, said: str) -> None:
    log = followed(tmp_path / "gate.log")
    log.path.write_bytes(said.encode(errors="surrogateescape") + b"\nafter\n")
    assert texts(log)[1:] == ["after"]


def test_a_truncated_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = followed(tmp_path / "gate.log")
    append(log.path, "one\ntwo\nthr")
    assert texts(log) == ["one", "two"]
    log.path.write_text("new\n")
    assert texts(log) == ["new"]


def test_a_line_without_an_end_and_a_flood_take_no_more_than_their_room(tmp_path: Path) -> None:
    log = followed(tmp_path / "gate.log")
    append(log.path, "x" * 5_000_000 + "\nlast\n")
    assert [len(text) for text in texts(log)] == [64 * 1024, 4]
    for _ in range(3):
        append(log.path, "y" * 200_000)
        assert texts(log) == []
        assert len(log._rest) <= 64 * 1024


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = followed(tmp_path / "logs" / "gate.log").path
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_an_ordinary_line_keeps_the_names_of_its_fields() -> None:
    line = Line("", "lease_lost", "warning", (("worker", "gate"), ("lane", 0)))
    assert line.told == {"lane": 0}
