"""The edge: every expected error becomes one clear sentence and its own exit code."""

import errno
from typing import Any

import pytest
import typer

from lineage.errors import QueryError
from schemas.registry import SchemaError
from schemas.topology_file import TopologyError
from streams import errors as streams
from streams.settings import ServerSettings
from supervisor.edge import INTERRUPTED, edge
from supervisor.errors import AlreadyRunning, NotRunning
from supervisor.exits import Exit


def left_with(error: BaseException) -> int:
    with pytest.raises(typer.Exit) as left, edge():
        raise error
    return int(left.value.exit_code)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TopologyError(["wrong (a.yaml:1)"]), Exit.TOPOLOGY),
        (streams.PortTaken("taken"), Exit.PORT_TAKEN),
        (streams.ServerAway("away"), Exit.SERVER),
        (streams.ServerRefused("refused"), Exit.SERVER),
        (streams.NoServer("none"), Exit.SERVER),
        (streams.EmbeddedServerError("ended"), Exit.SERVER),
        (streams.DiskFull("full"), Exit.DISK_FULL),
        (OSError(errno.ENOSPC, "No space left on device", "/data"), Exit.DISK_FULL),
        (NotRunning("nothing runs"), Exit.NOT_RUNNING),
        (QueryError("no such query"), Exit.LINEAGE),
        (streams.UnknownEntry("no such entry"), Exit.FAILED),
        (streams.StreamsError("whatever"), Exit.FAILED),
        (AlreadyRunning("one runs"), Exit.FAILED),
        (SchemaError("no such schema"), Exit.FAILED),
        (PermissionError(errno.EACCES, "Permission denied", "/data"), Exit.FAILED),
        (UnicodeEncodeError("utf-8", "L9\udcff", 2, 3, "surrogates not allowed"), Exit.USAGE),
        (KeyboardInterrupt(), INTERRUPTED),
    ],
)
def test_every_expected_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert left_with(error) == code


def test_a_sentence_stands_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    left_with(streams.ServerAway("the server\n  is away"))
    left_with(PermissionError(errno.EACCES, "Permission denied", "/data"))
    left_with(streams.ServerAway())
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        "penstock: the server is away",
        "penstock: '/data': Permission denied",
        "penstock: ServerAway",
    ]
    assert captured.out == ""


def test_every_problem_of_a_topology_has_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    left_with(TopologyError(["one (a.yaml:1)", "two (a.yaml:2)"]))
    assert capsys.readouterr().err == "penstock: one (a.yaml:1)\npenstock: two (a.yaml:2)\n"


def test_a_wrong_setting_is_a_mistake_of_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PENSTOCK_COMMAND_TIMEOUT_S", "soon")
    with pytest.raises(typer.Exit) as left, edge():
        ServerSettings()
    assert left.value.exit_code == Exit.USAGE
    assert "PENSTOCK_COMMAND_TIMEOUT_S" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a fault"),
        UnicodeEncodeError("ascii", "\N{SNOWMAN}", 0, 1, "a fault"),
        OSError("of no kind"),
        BrokenPipeError(),
    ],
)
def test_a_fault_of_the_program_keeps_its_traceback(error: Any) -> None:
    with pytest.raises(type(error)), edge():
        raise error
