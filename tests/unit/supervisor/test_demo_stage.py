"""A pipeline of the demo's own: started, waited for, stopped, and its last words told."""

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams.errors import NoServer, ServerAway
from supervisor.demo import stage
from supervisor.demo.publish import Interrupted
from supervisor.demo.stage import NoPipeline, Stage, await_client, start, stop, up_command

ENDS_AT_ONCE = [sys.executable, "-c", "print('port 9464 is taken'); raise SystemExit(4)"]
READY = "print('ready', flush=True)"
WAITS = [sys.executable, "-c", f"import signal; {READY}; signal.pause()"]
DRAINS = [
    sys.executable,
    "-c",
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
    f"{READY}; signal.pause()",
]
STUBBORN = [
    sys.executable,
    "-c",
    f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}; signal.pause()",
]


class Served:
    """Stands for a client whose server serves."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def serving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "present", lambda *_: [])


def failing(error: Exception, times: int) -> Callable[[], Any]:
    left = [error] * times

    def connect() -> Any:
        if left:
            raise left.pop()
        return Served()

    return connect


def never(_: float) -> bool:
    return False


def until_ready(log: Path) -> None:
    gone = threading.Event()
    for _ in range(3000):
        if "ready" in log.read_text():
            return
        gone.wait(0.01)
    raise AssertionError("the process did not begin")


def test_a_pipeline_is_started_with_the_same_topology() -> None:
    assert up_command(Path("mine.yaml"))[1:] == [
        "-P",
        "-m",
        "supervisor",
        "--config",
        "mine.yaml",
        "up",
    ]


def test_the_server_is_waited_for(tmp_path: Path) -> None:
    found = await_client(failing(NoServer("none"), 3), None, tmp_path / "log", never, 60.0)
    assert isinstance(found, Served)


def test_a_server_that_still_loads_its_data_does_not_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = [ServerAway("LOADING"), ServerAway("LOADING")]
    made: list[Served] = []

    def present(*_: object) -> list[object]:
        if loading:
            raise loading.pop()
        return []

    def connect() -> Any:
        made.append(Served())
        return made[-1]

    monkeypatch.setattr(stage, "present", present)
    assert await_client(connect, None, tmp_path / "log", never, 60.0) is made[2]
    assert [each.closed for each in made] == [True, True, False]


def test_a_server_that_does_not_come_is_told_of(tmp_path: Path) -> None:
    times = iter([0.0, 1.0, 61.0])
    with pytest.raises(NoPipeline, match="did not come up in 60 s: none"):
        await_client(
            failing(NoServer("none"), 9), None, tmp_path / "log", never, 60.0, lambda: next(times)
        )


def test_waiting_for_it_can_be_broken_off(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        await_client(failing(NoServer("none"), 9), None, tmp_path / "log", lambda _: True, 60.0)


def test_a_pipeline_that_ends_is_told_of_in_its_own_words(tmp_path: Path) -> None:
    log = tmp_path / "data" / "log"
    process = start(ENDS_AT_ONCE, log)
    process.wait(60)
    said = "ended with exit code 4: port 9464 is taken"
    with pytest.raises(NoPipeline, match=said):
        await_client(failing(NoServer("none"), 9), process, log, never, 60.0)
    with pytest.raises(NoPipeline, match=said):
        Stage(Served(), process, log).check()  # type: ignore[arg-type]


def test_a_pipeline_that_was_killed_without_a_log_is_told_of(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start(WAITS, log)
    process.kill()
    process.wait(60)
    log.unlink()
    with pytest.raises(NoPipeline, match="by signal 9: it left no word"):
        Stage(Served(), process, log).check()  # type: ignore[arg-type]


def test_it_is_told_to_drain_at_the_end(tmp_path: Path) -> None:
    process = start(DRAINS, tmp_path / "log")
    until_ready(tmp_path / "log")
    Stage(Served(), process, tmp_path / "log").check()  # type: ignore[arg-type]
    stop(process)
    assert process.returncode == 0
    stop(process)  # once more does nothing


def test_one_that_does_not_end_is_ended(tmp_path: Path) -> None:
    process = start(STUBBORN, tmp_path / "log")
    until_ready(tmp_path / "log")
    stop(process, within_s=0.2)
    assert process.returncode == -signal.SIGKILL


def test_a_pipeline_that_was_running_before_is_never_checked_for_its_end(tmp_path: Path) -> None:
    found = Stage(Served(), None, tmp_path / "log")  # type: ignore[arg-type]
    found.check()
    assert not found.own
