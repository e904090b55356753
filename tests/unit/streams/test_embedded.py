"""The embedded server's starts, with a process and answers of straw."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams import embedded
from streams.embedded import EmbeddedServer
from streams.embedded_address import Address
from streams.errors import EmbeddedServerError, ServerAway
from streams.living import began_ticks

ADDRESS = Address(pid=1_000_000_000, port=70, password="")  # no process has so high an id


class Process:
    """Ours, which ends when it is killed."""

    pid = ADDRESS.pid

    def __init__(self) -> None:
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.code = -9

    def wait(self) -> None:
        assert self.code is not None, "it would wait for ever"


class Starting:
    """A server that has been begun, the clock, and what it answers."""

    def __init__(self, directory: Path) -> None:
        self.at_s = 0.0
        self.told: dict[str, Any] = {}
        self.process = Process()
        self.server = EmbeddedServer(directory, silent_s=30.0, now_s=lambda: self.at_s)
        self.server.process = self.process  # type: ignore[assignment]

    def serves(self, after_s: float) -> bool:
        self.at_s += after_s
        return self.server.serves(ADDRESS)


@pytest.fixture
def starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Starting:
    """One that says nothing yet, and takes writes as soon as it does."""
    made = Starting(tmp_path)
    monkeypatch.setattr(embedded, "told_by", lambda _: made.told)
    monkeypatch.setattr(embedded, "check_writable", lambda *_: None)
    return made


def test_a_server_may_load_for_as_long_as_it_says_so(starting: Starting) -> None:
    starting.told = {"loading": 1}
    assert not any(starting.serves(after_s=29.0) for _ in range(100))
    starting.told = {}
    assert not starting.serves(after_s=29.0), "it is heard again within its time"
    starting.told = {"loading": 0}
    assert starting.serves(after_s=29.0)
    assert starting.process.code is None


def test_a_server_that_says_nothing_for_long_is_given_up(starting: Starting) -> None:
    assert not starting.serves(after_s=29.0)
    with pytest.raises(EmbeddedServerError, match="did not answer in 30 s"):
        starting.serves(after_s=2.0)
    assert starting.process.code == -9


def test_a_server_that_takes_no_writes_for_long_is_given_up(
    starting: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise ServerAway("BUSY")

    monkeypatch.setattr(embedded, "check_writable", busy)
    starting.told = {"loading": 0}
    assert not starting.serves(after_s=29.0)
    with pytest.raises(EmbeddedServerError, match="did not answer"):
        starting.serves(after_s=2.0)


@pytest.mark.parametrize("ours", [True, False])
def test_a_server_that_ended_while_it_started_is_told_at_once(
    ours: bool, starting: Starting
) -> None:
    starting.process.code = 1
    starting.server.directory.mkdir()
    if not ours:
        starting.server.process = None
    with pytest.raises(EmbeddedServerError, match="ended at once"):
        starting.serves(after_s=0.0)


def test_who_was_found_running_lives_no_more_when_another_has_its_id(tmp_path: Path) -> None:
    began = began_ticks(os.getpid())
    assert began is not None
    found = ADDRESS.model_copy(update={"pid": os.getpid(), "began": began})
    assert EmbeddedServer(tmp_path).alive(found)
    assert not EmbeddedServer(tmp_path).alive(found.model_copy(update={"began": began - 1}))


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that another program has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_process_that_has_the_last_ones_id_keeps_no_server_from_starting(
    tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedServer(tmp_path)
    server.directory.mkdir()
    last = Address(pid=os.getpid(), port=taken_port, password="kept", began=1)
    (server.directory / "server.json").write_text(last.model_dump_json())
    monkeypatch.setattr(server, "_spawn", lambda _: Process())
    begun = server.begin()
    assert begun.port != taken_port
    assert begun.password == "kept"
