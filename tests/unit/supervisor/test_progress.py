"""A bar for what takes long, and nothing for what does not."""

import io
from collections.abc import Callable

import pytest

from supervisor import progress as module
from supervisor.progress import progress


class _Terminal(io.StringIO):
    """Standard error where somebody looks."""

    def isatty(self) -> bool:
        return True


class _AtOnce:
    """A timer whose time has come."""

    def __init__(self, after_s: float, begin: Callable[[], None]) -> None:
        self.start = begin

    def cancel(self) -> None:
        """It has begun already."""

    join = cancel


def watched(monkeypatch: pytest.MonkeyPatch) -> _Terminal:
    """Have somebody look, from now on: a fixture would do so before the test's own capture."""
    found = _Terminal()
    monkeypatch.setattr("sys.stderr", found)
    monkeypatch.setenv("TERM", "xterm")
    return found


def test_what_is_over_soon_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    monkeypatch.setattr(module, "SILENT_S", 3600.0)
    with progress() as told:
        told(1, 2, "reading L3")
    assert terminal.getvalue() == ""


def test_what_takes_long_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    monkeypatch.setattr(module, "Timer", _AtOnce)
    with progress() as told:
        told(1, 2, "reading L3")
    assert "reading L3" in terminal.getvalue()
    assert "1/2" in terminal.getvalue()


def test_nobody_looks_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as told:
        told(1, 2, "reading L3")
    assert capsys.readouterr().err == ""
