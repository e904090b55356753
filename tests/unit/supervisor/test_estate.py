"""What processes leave behind is settled once they have ended, and nobody else's."""

from typing import Any

import pytest

from streams.presence import Presence
from supervisor import estate as module
from supervisor.estate import Estate
from tests.unit.supervisor.stand_ins import presence

NOW_S = 5.0


class Leases:
    """The presence list, and whose leases were broken."""

    def __init__(self, *lines: Presence) -> None:
        self.lines = {line.field: line for line in lines}
        self.broken: list[str] = []

    def present(self, _: Any, now_s: float) -> list[Presence]:
        assert now_s == NOW_S
        return list(self.lines.values())

    def withdraw(self, _: Any, field: str) -> None:
        del self.lines[field]

    def break_lease(self, _: Any, __: Any, group: str, holder: str) -> bool:
        self.broken.append(holder)
        return group == "gate"


@pytest.fixture
def leases(monkeypatch: pytest.MonkeyPatch) -> Leases:
    found = Leases(presence("gate", 7), presence("pass", 8), presence("gate", 9))
    for name in ("present", "withdraw", "break_lease"):
        monkeypatch.setattr(module, name, getattr(found, name))
    return found


@pytest.fixture
def estate() -> Estate:
    return Estate(1, now_s=lambda: NOW_S)


def settle(estate: Estate) -> list[str]:
    client: Any = None
    return estate.settle(client)


def test_leases_and_lines_of_those_that_ended_go_and_no_others(
    leases: Leases, estate: Estate
) -> None:
    estate.note([7, 8, 9])
    assert settle(estate) == []
    estate.note([9])
    assert settle(estate) == ["gate"]
    assert leases.broken == [presence("gate", 7).consumer, presence("pass", 8).consumer]
    assert [line.pid for line in leases.lines.values()] == [9]
    leases.lines = {}
    assert settle(estate) == []


def test_of_a_process_id_that_lives_again_nothing_is_settled(
    leases: Leases, estate: Estate
) -> None:
    estate.note([7, 9])
    estate.note([9])
    estate.note([7, 9])  # the server was away meanwhile
    assert settle(estate) == []
    assert (leases.broken, len(leases.lines)) == ([], 3)
    estate.note([9])
    assert settle(estate) == ["gate"]
