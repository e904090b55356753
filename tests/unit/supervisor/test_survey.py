"""What ``penstock status`` shows of a supervisor's processes is what these say themselves."""

from typing import Any

import pytest

from streams.presence import Presence
from supervisor import survey as module
from supervisor.child import Place
from supervisor.fleet import ChildView
from supervisor.overview import ServerView, SupervisorView
from supervisor.survey import Supervised, survey
from tests.unit.supervisor.stand_ins import presence, topology

SERVER = ServerView(kind="embedded", url="redis://127.0.0.1:1")
SUPERVISOR = SupervisorView(pid=1, address="", config="c", started_at_s=1.0, ready=False)
CHILD = ChildView(Place("gate"), 7, "starting", False, 0, "", (), not_before_s=100.0)


@pytest.mark.parametrize(("began_at_s", "state"), [(99.0, "starting"), (100.5, "running")])
def test_a_line_that_another_left_behind_says_nothing_of_who_starts(
    monkeypatch: pytest.MonkeyPatch, began_at_s: float, state: str
) -> None:
    def present(*_: Any) -> list[Presence]:
        return [presence("gate", 7).model_copy(update={"started_at_s": began_at_s})]

    monkeypatch.setattr(module, "present", present)
    monkeypatch.setattr(module, "stream_states", lambda *_: [])
    monkeypatch.setattr(module, "counters", lambda *_: {})
    client: Any = None
    found = survey(client, topology(), SERVER, 200.0, Supervised(SUPERVISOR, [CHILD], {}))
    (process,) = found.workers[0].processes
    assert process.state == state
