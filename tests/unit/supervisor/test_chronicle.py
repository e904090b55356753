"""What the supervisor did is told in the log, counted, and written once the server is there."""

import json
from typing import Any

import pytest

from schemas.supervisor_event import Action, SupervisorEvent
from streams.errors import ServerAway, StreamsError
from supervisor.chronicle import Chronicle
from supervisor.metrics import action_families
from tests.unit.supervisor.stand_ins import topology

WITH_STREAM = topology().model_copy(update={"supervisor": "DONE"})


class Server:
    """Takes entries, unless it is away."""

    def __init__(self) -> None:
        self.away = False
        self.added: list[tuple[str, SupervisorEvent]] = []

    def execute_command(self, command: str, *args: Any) -> bytes:
        assert command == "XADD"
        if self.away:
            raise ServerAway("away")
        key, _, _, data = args
        self.added.append((key, SupervisorEvent.model_validate_json(data)))
        return b"1-0"


def test_an_action_is_told_counted_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    chronicle, server = Chronicle(now_s=lambda: 7.5), Server()
    chronicle.tell(Action.STALLED, "it\nwaits", "gate", "gate.replica1", {"lag": 3, "log": "a b"})
    chronicle.write(server, WITH_STREAM)  # type: ignore[arg-type]
    ((key, event),) = server.added
    assert key == "DONE"
    assert (event.action, event.worker, event.process) == (Action.STALLED, "gate", "gate.replica1")
    assert (event.why, event.at_s, event.details) == ("it waits", 7.5, {"lag": 3.0, "log": "a b"})
    assert "supervisor_acted" in capsys.readouterr().out
    assert chronicle.counts == {("stalled", "gate"): 1}
    (family,) = action_families(chronicle.counts, ["gate"])
    assert {s.labels["action"]: s.value for s in family.samples} == {
        "stalled": 1.0,
        "silent": 0.0,
        "memory_limit": 0.0,
        "memory_growth": 0.0,
    }


def test_nothing_is_lost_while_the_server_is_away_and_each_is_written_once() -> None:
    chronicle, server = Chronicle(), Server()
    server.away = True
    for n in range(5):
        chronicle.tell(Action.RESTARTED, str(n))
    with pytest.raises(StreamsError):
        chronicle.write(server, WITH_STREAM)  # type: ignore[arg-type]
    assert chronicle.waiting == 5
    server.away = False
    chronicle.write(server, WITH_STREAM)  # type: ignore[arg-type]
    chronicle.write(server, WITH_STREAM)  # type: ignore[arg-type]
    assert [event.why for _, event in server.added] == ["0", "1", "2", "3", "4"]


def test_what_waits_is_bounded_and_the_oldest_go_first(capsys: pytest.CaptureFixture[str]) -> None:
    chronicle, server = Chronicle(keeps=3), Server()
    for n in range(5):
        chronicle.tell(Action.RESTARTED, str(n))
    chronicle.write(server, WITH_STREAM)  # type: ignore[arg-type]
    assert [event.why for _, event in server.added] == ["2", "3", "4"]
    assert "supervisor_events_lost" in capsys.readouterr().out
    assert chronicle.counts == {("restarted", ""): 5}


def test_without_a_stream_the_log_alone_tells(capsys: pytest.CaptureFixture[str]) -> None:
    chronicle, server = Chronicle(), Server()
    chronicle.tell(Action.DEADLINE, "too long", logged=True)
    assert capsys.readouterr().out == ""
    chronicle.write(server, topology())  # type: ignore[arg-type]
    assert (chronicle.waiting, server.added) == (0, [])


def test_words_of_any_length_and_bytes_fit_into_an_event() -> None:
    chronicle, server = Chronicle(), Server()
    chronicle.tell(Action.MISCONFIGURED, "\udcff" + "x" * 5000, details={"log": "y" * 5000})
    chronicle.write(server, WITH_STREAM)  # type: ignore[arg-type]
    ((_, event),) = server.added
    assert (len(event.why), len(str(event.details["log"]))) == (1024, 1024)
    assert json.loads(event.model_dump_json())["kind"] == "supervisor"


def test_a_whole_number_stays_whole() -> None:
    chronicle, server = Chronicle(), Server()
    chronicle.tell(Action.KILLED, "late", details={"pid": 7, "share": 0.5, "again": True})
    chronicle.write(server, WITH_STREAM)  # type: ignore[arg-type]
    ((_, event),) = server.added
    assert '"details":{"pid":7,"share":0.5,"again":true}' in event.model_dump_json()
