"""The command's side: finding the supervisor, and what is said when it is not there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.background import _sentences
from supervisor.control import Control, wait_until_ended
from supervisor.errors import ActionFailed, AlreadyRunning, NotRunning
from supervisor.lock import SupervisorLock
from supervisor.pages import Answer, Pages, Routes
from supervisor.whereabouts import Whereabouts, write


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    """Pages of a supervisor that answers strangely, and holds the lock."""
    routes = Routes(
        gets={
            "/readyz": lambda _: Answer.fault(503, "not yet"),
            "/status": lambda _: Answer.fault(500, "no idea"),
        },
        posts={
            "/actions/restart": lambda _: Answer.fault(409, "cannot"),
            "/actions/scale": lambda _: Answer(500, b"no json"),
            "/actions/stop": lambda _: Answer.of({}, 202),
        },
        token="secret",
    )
    made = Pages("127.0.0.1", 0)
    made.serve(routes)
    write(tmp_path, whereabouts(made.port))
    with SupervisorLock(tmp_path):
        yield made
    made.close()


def whereabouts(port: int) -> Whereabouts:
    return Whereabouts(
        pid=1, host="127.0.0.1", port=port, token="secret", config="c", version="1", started_at_s=1
    )


def test_an_error_of_the_supervisor_keeps_its_sentence(pages: Pages, tmp_path: Path) -> None:
    control = Control(tmp_path)
    assert not control.ready()
    control.act("stop", {})
    with pytest.raises(ActionFailed, match=r"^no idea$"):
        control.overview()
    with pytest.raises(ActionFailed, match=r"^cannot$"):
        control.act("restart", {})
    with pytest.raises(ActionFailed, match="no json"):
        control.act("scale", {})


def test_a_supervisor_that_does_not_answer_in_time_is_named(
    pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*_: Any, **__: Any) -> None:
        raise TimeoutError

    control = Control(tmp_path)
    monkeypatch.setattr("supervisor.control.ask", too_slow)
    with pytest.raises(ActionFailed, match="process 1"):
        control.ready()


def test_a_supervisor_that_has_just_ended_does_not_run(tmp_path: Path) -> None:
    write(tmp_path, whereabouts(1))
    with SupervisorLock(tmp_path):
        control = Control(tmp_path)
        with pytest.raises(NotRunning, match="does not answer"):
            control.ready()
    with pytest.raises(NotRunning, match="no supervisor runs"):
        Control(tmp_path)


def test_a_supervisor_that_is_still_starting_is_no_supervisor_yet(tmp_path: Path) -> None:
    with SupervisorLock(tmp_path), pytest.raises(NotRunning, match="still starting"):
        Control(tmp_path)


def test_there_is_one_lock_a_data_directory(tmp_path: Path) -> None:
    waited: list[float] = []
    lock = SupervisorLock(tmp_path / "new")
    assert not lock.held()
    with SupervisorLock(tmp_path / "new"):
        assert lock.held()
        second = SupervisorLock(tmp_path / "new", sleep=waited.append)
        with pytest.raises(AlreadyRunning, match="process "), second:
            pass
    assert waited
    assert not lock.held()


def test_waiting_for_the_end_ends(tmp_path: Path) -> None:
    now = iter(range(100))
    wait_until_ended(tmp_path, 1.0)
    with SupervisorLock(tmp_path), pytest.raises(ActionFailed, match="did not end"):
        wait_until_ended(tmp_path, 5.0, now_s=lambda: float(next(now)), sleep=lambda _: None)


def test_of_a_log_only_the_sentences_for_people_are_told(tmp_path: Path) -> None:
    log = tmp_path / "supervisor.log"
    log.write_text(json.dumps({"event": "x"}) + "\npenstock: the port is taken\n")
    assert _sentences(log, 0, 4) == ["the port is taken"]
    assert _sentences(log, log.stat().st_size, 6) == [
        f"the supervisor ended with exit code 6 (disk full); see {log}"
    ]
    assert "exit code 77;" in _sentences(log, log.stat().st_size, 77)[0]
