"""An incident's account is looked up once, and again while the incident is open."""

from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.console import incidents
from supervisor.console.incidents import Incidents


class Clock:
    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []

    def account_of(client: Any, topology: Any, event: Any) -> Any:
        found.append(event.uid)
        return SimpleNamespace(event=event)

    def event_of(client: Any, topology: Any, uid: str) -> Any:
        return SimpleNamespace(uid=uid, closes_at_s=110.0)

    monkeypatch.setattr(incidents, "event_of", event_of)
    monkeypatch.setattr(incidents, "account_of", account_of)
    monkeypatch.setattr(incidents, "is_open", lambda event, now_s: now_s < event.closes_at_s)
    return found


def test_an_open_incident_is_looked_up_again_until_it_is_over(asked: list[str]) -> None:
    clock = Clock()
    nothing: Any = SimpleNamespace()
    found = Incidents(lambda: nothing, nothing, nothing, now_s=clock, monotonic_s=clock)
    for at_s, times in ((100.0, 1), (104.9, 1), (105.0, 2), (112.0, 3), (500.0, 3)):
        clock.at_s = at_s
        found._account("E/1-0")
        assert len(asked) == times, at_s


def test_a_clock_that_is_set_back_keeps_nobody_from_looking_again(asked: list[str]) -> None:
    day, passed = Clock(), Clock()
    nothing: Any = SimpleNamespace()
    found = Incidents(lambda: nothing, nothing, nothing, now_s=day, monotonic_s=passed)
    found._account("E/1-0")
    day.at_s -= 50.0
    passed.at_s += 5.0
    found._account("E/1-0")
    assert len(asked) == 2
