"""What the service manager hears: ready, alive, how it stands, stopping; and when it hears none."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from workers.notify import Notifier, ServiceManager, notifiers


class Manager:
    """Stands for systemd: a datagram socket, and what came to it so far."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.setblocking(False)

    def heard(self) -> list[dict[str, str]]:
        found = []
        while True:
            try:
                text = self._socket.recv(4096).decode()
            except BlockingIOError:
                return found
            found.append(dict(line.split("=", 1) for line in text.splitlines()))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"@penstock-{tmp_path}" if request.param == "abstract" else str(tmp_path / "notify")


@pytest.fixture
def manager(address: str) -> Iterator[Manager]:
    found = Manager(address)
    yield found
    found.close()


class Worker:
    """How a worker stands, its clock, and its notifier, whose turns the test takes."""

    def __init__(self, address: str, feed_every_s: float | None = 10.0) -> None:
        self.live, self.ready, self.now_s = "", "", 0.0
        self.stopping = threading.Event()
        self.notifier = Notifier(
            ServiceManager(address, structlog.get_logger()),
            lambda: self.live,
            lambda: self.ready,
            self.stopping,
            feed_every_s=feed_every_s,
            monotonic_s=lambda: self.now_s,
        )

    def turn(self, after_s: float = 0.1) -> None:
        self.now_s += after_s
        self.notifier.turn()


def beats(heard: list[dict[str, str]]) -> int:
    return sum("WATCHDOG" in said for said in heard)


def test_it_is_ready_once_its_lanes_are_served_and_asks_for_time_until_then(
    manager: Manager, address: str
) -> None:
    worker = Worker(address)
    worker.ready = "lane 0 is waiting"
    worker.turn()
    heard = manager.heard()
    assert {"STATUS": "lane 0 is waiting", "EXTEND_TIMEOUT_USEC": "60000000"} in heard
    assert not any("READY" in said for said in heard)
    worker.ready = ""
    worker.turn()
    worker.turn()
    assert [said for said in manager.heard() if "READY" in said] == [
        {"READY": "1", "STATUS": "at work"}
    ]


def test_the_watchdog_is_fed_while_there_is_progress_and_not_while_there_is_none(
    manager: Manager, address: str
) -> None:
    worker = Worker(address)
    for _ in range(30):
        worker.turn(after_s=1.0)
    assert beats(manager.heard()) == 3
    worker.live = "the loop of lane 0 stood still for 61 s"
    for _ in range(30):
        worker.turn(after_s=1.0)
    heard = manager.heard()
    assert beats(heard) == 0
    assert {"STATUS": worker.live} in heard
    worker.live = ""
    worker.turn(after_s=1.0)
    assert beats(manager.heard()) == 1


def test_an_outage_is_told_and_does_not_starve_the_watchdog(manager: Manager, address: str) -> None:
    worker = Worker(address)
    worker.turn()
    worker.ready = "lane 0 is waiting"
    worker.turn(after_s=20.0)
    worker.ready = ""
    worker.turn(after_s=20.0)
    heard = manager.heard()
    assert [said["STATUS"] for said in heard if "STATUS" in said] == [
        "at work",
        "lane 0 is waiting",
        "at work",
    ]
    assert beats(heard) == 3


def test_it_tells_once_that_it_stops_and_lives_while_it_drains(
    manager: Manager, address: str
) -> None:
    worker = Worker(address)
    worker.turn()
    manager.heard()
    worker.stopping.set()
    worker.turn(after_s=20.0)
    worker.turn(after_s=20.0)
    heard = manager.heard()
    assert [said for said in heard if "STOPPING" in said] == [
        {"STOPPING": "1", "STATUS": "draining"}
    ]
    assert beats(heard) == 2


def test_a_worker_that_ends_by_itself_tells_it(manager: Manager, address: str) -> None:
    worker = Worker(address)
    worker.notifier.start()
    worker.notifier.stop()
    assert manager.heard()[-1]["STOPPING"] == "1"


def test_a_manager_that_is_gone_is_told_of_once_in_the_log(tmp_path: Path) -> None:
    with capture_logs() as logs:
        worker = Worker(str(tmp_path / "nobody"))
        worker.turn(after_s=20.0)
        worker.turn(after_s=20.0)
    assert [line["event"] for line in logs] == ["notify_failed"]


def asked_for(**environment: str) -> list[Notifier]:
    log = structlog.get_logger()
    return notifiers(environment, 7, lambda: "", lambda: "", threading.Event(), log)


@pytest.mark.parametrize(
    ("watchdog", "fed"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 3),
        ({"WATCHDOG_USEC": "30000000"}, 3),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, 0),
        ({"WATCHDOG_USEC": "0"}, 0),
        ({}, 0),
    ],
)
def test_the_watchdog_is_the_keepers_or_nobodys(
    manager: Manager,
    address: str,
    watchdog: dict[str, str],
    fed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (notifier,) = asked_for(NOTIFY_SOCKET=address, **watchdog)
    now_s = [0.0]
    monkeypatch.setattr(notifier, "_monotonic_s", lambda: now_s[0])
    for _ in range(3):
        now_s[0] += 10.0
        notifier.turn()
    assert beats(manager.heard()) == fed


@pytest.mark.parametrize("address", ["", "vsock:2:1234"])
def test_nobody_is_told_where_no_manager_can_hear(address: str) -> None:
    with capture_logs() as logs:
        assert asked_for(NOTIFY_SOCKET=address) == []
    assert len(logs) == bool(address)
