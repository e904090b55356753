"""The stream server as the supervisor cares for it, with an embedded one of straw."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog

from streams.connection import greet
from streams.embedded_address import Address
from streams.errors import DiskFull, ServerAway
from streams.settings import ServerSettings
from supervisor.chronicle import Chronicle
from supervisor.server import StreamServer
from supervisor.settings import SupervisorSettings
from tests.unit.supervisor.stand_ins import Clock


@dataclass
class Straw:
    """Every embedded server that is made; ``begin`` goes wrong with the next of ``faults``."""

    living: bool = False
    loaded: bool = True
    faults: list[Exception] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    asked: int = 0

    def __call__(self, _: Path, *, port: int, **__: Any) -> "Straw":
        self.ports.append(port)
        return self

    def begin(self) -> Address:
        if self.faults:
            raise self.faults.pop(0)
        self.living = True
        return Address(pid=7, port=70, password="")

    def serves(self, _: Address) -> bool:
        self.asked += 1
        return self.loaded

    def alive(self, _: Address) -> bool:
        return self.living


@pytest.fixture
def straw(monkeypatch: pytest.MonkeyPatch) -> Straw:
    """What the supervisor's embedded servers are made of."""
    made = Straw()
    monkeypatch.setattr("supervisor.server.EmbeddedServer", made)
    monkeypatch.setattr("supervisor.server.wait_for", lambda *_: "Valkey 9")
    return made


@dataclass
class Care:
    """A server whose supervisor looks after it, at a time that a test moves on."""

    server: StreamServer
    chronicle: Chronicle
    clock: Clock

    def look(self, after_s: float = 10.0) -> None:
        self.clock.at_s += after_s
        self.server.look()


@pytest.fixture
def care(tmp_path: Path, straw: Straw) -> Care:
    """One that was started, and has ended."""
    clock, chronicle = Clock(), Chronicle()
    server = StreamServer(
        ServerSettings(), SupervisorSettings(tmp_path), structlog.get_logger(),
        chronicle=chronicle, now_s=clock,
    )  # fmt: skip
    server.look()  # nothing was started yet
    assert list(server.start()) == []
    straw.living = False
    return Care(server, chronicle, clock)


def test_an_embedded_server_that_ended_is_started_again_on_its_port_with_back_off(
    care: Care, straw: Straw, capsys: pytest.CaptureFixture[str]
) -> None:
    straw.faults.append(DiskFull("full"))
    care.look()
    care.look(after_s=0.0)
    assert straw.ports == [0, 70]
    care.look()
    care.look()
    assert straw.ports == [0, 70, 70]
    assert (care.server.kind, care.server.port) == ("embedded", 70)
    assert care.chronicle.counts == {("server_restarted", ""): 1}
    out = capsys.readouterr().out
    assert "embedded_server_ended" in out
    assert "server_back" in out


def no_memory(straw: Straw) -> None:
    straw.faults.append(OSError(12, "Cannot allocate memory"))


def no_answer(straw: Straw) -> None:
    fits = iter([PermissionError(13, "Permission denied")])

    def alive(_: Address) -> bool:
        for fit in fits:
            raise fit
        return False

    straw.alive = alive  # type: ignore[method-assign]


@pytest.mark.parametrize("fault", [no_memory, no_answer])
def test_what_the_machine_refuses_is_told_and_tried_again(
    fault: Callable[[Straw], None],
    care: Care,
    straw: Straw,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fault(straw)
    care.look()
    told = capsys.readouterr().out
    assert "Cannot allocate memory" in told or "Permission denied" in told
    care.look()
    assert straw.living
    assert care.chronicle.counts == {("server_restarted", ""): 1}


def test_a_server_may_load_its_data_for_as_long_as_it_takes(care: Care, straw: Straw) -> None:
    straw.loaded, straw.asked = False, 0
    for _ in range(100):
        care.look()
    assert straw.ports == [0, 70], "it was begun once"
    assert straw.asked == 100, "a look asks once, and waits for nothing"
    assert not care.chronicle.counts
    straw.loaded = True
    care.look()
    care.look()
    assert care.chronicle.counts == {("server_restarted", ""): 1}
    assert straw.asked == 101


def test_the_start_waits_a_step_at_a_time(tmp_path: Path, straw: Straw) -> None:
    straw.loaded = False
    server = StreamServer(ServerSettings(), SupervisorSettings(tmp_path), structlog.get_logger())
    start = server.start()
    for _ in range(100):
        next(start)
    straw.loaded = True
    assert list(start) == []
    assert (straw.asked, server.version) == (101, "Valkey 9")


def test_a_configured_server_is_only_greeted(tmp_path: Path) -> None:
    server = StreamServer(
        ServerSettings(redis_url="redis://u:secret@127.0.0.1:1/0"),  # type: ignore[arg-type]
        SupervisorSettings(tmp_path),
        structlog.get_logger(),
    )
    assert (server.kind, server.port) == ("configured", None)
    assert "secret" not in server.safe_url
    server.look()
    server.stop()
    with server.client() as client, pytest.raises(ServerAway):
        greet(client)
