"""Waiting until all is settled, and who is named when it is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topology_file import load_topology
from schemas.topology_graph import readers
from streams.observe import GroupState, StreamState
from supervisor.demo.publish import Interrupted
from supervisor.demo.screen import screen
from supervisor.demo.settle import (
    Backlog,
    Look,
    Stalled,
    backlog_of,
    outcomes,
    since_start,
    wait_until_settled,
)

TOPOLOGY = load_topology(Path(__file__).parents[3] / "streams.yaml")
ACCEPTED = ("gate", "L3_IN", "accepted")


def states(**lags: int | None) -> list[StreamState]:
    """All streams settled but those named, whose groups have that lag."""
    return [
        StreamState(
            name,
            0,
            0,
            tuple(
                GroupState(worker, lags.get(name, 0), 0, 1) for worker in readers(TOPOLOGY, name)
            ),
        )
        for name in TOPOLOGY.streams
    ]


class Clock:
    """Time that passes only by waiting."""

    def __init__(self, stop_at_s: float = 1e9) -> None:
        self.now_s = 0.0
        self._stop_at_s = stop_at_s

    def wait(self, seconds: float) -> bool:
        self.now_s += seconds
        return self.now_s >= self._stop_at_s


def settle(looks: Iterator[Look], clock: Clock) -> tuple[int, list[Look]]:
    told: list[Look] = []
    counters = wait_until_settled(
        lambda: next(looks), clock.wait, told.append, monotonic_s=lambda: clock.now_s, stall_s=5.0
    )
    return counters[ACCEPTED], told


def busy(settled: int, entries: int | None = 7) -> Look:
    return Look((Backlog("gate", "L3_IN", entries),), {ACCEPTED: settled})


def idle(settled: int) -> Look:
    return Look((), {ACCEPTED: settled})


def test_nothing_is_left_when_every_group_has_settled_everything() -> None:
    assert backlog_of(TOPOLOGY, states()) == ()


def test_who_has_most_to_do_comes_first() -> None:
    found = backlog_of(TOPOLOGY, states(L3_IN=5, LINEAGE=9))
    assert [(each.worker, each.entries) for each in found] == [("lineage", 9), ("gate", 5)]


def test_a_group_that_is_yet_to_come_is_backlog() -> None:
    found = backlog_of(TOPOLOGY, [StreamState("L3_IN", 3, 3, ())])
    assert found == (Backlog("gate", "L3_IN", None),)


def test_where_the_server_cannot_tell_a_lag_what_is_pending_decides() -> None:
    assert backlog_of(TOPOLOGY, states(L3_IN=None)) == ()
    pending = StreamState("L3_IN", 3, 3, (GroupState("gate", None, 2, 1),))
    assert backlog_of(TOPOLOGY, [pending]) == (Backlog("gate", "L3_IN", 2),)


def test_one_empty_look_is_no_proof() -> None:
    looks = iter([busy(1), idle(2), busy(3), idle(4), idle(5)])
    settled, told = settle(looks, Clock())
    assert (settled, len(told)) == (5, 5)


def test_slow_is_not_stalled() -> None:
    looks = iter([*(busy(n // 20) for n in range(200)), idle(9), idle(9)])
    assert settle(looks, Clock())[0] == 9


def test_a_stall_names_the_worker_that_does_not_come_on() -> None:
    with pytest.raises(Stalled, match="worker 'gate' leaves 7 entries of 'L3_IN'"):
        settle(iter(lambda: busy(1), None), Clock())


def test_a_stall_before_the_beginning_names_who_has_not_begun() -> None:
    with pytest.raises(Stalled, match="worker gate has not begun to read"):
        settle(iter(lambda: busy(0, None), None), Clock())


def test_waiting_ends_when_told_to_stop() -> None:
    with pytest.raises(Interrupted):
        settle(iter(lambda: busy(1), None), Clock(stop_at_s=1.0))


def test_only_what_was_settled_since_the_start_counts() -> None:
    counters = {ACCEPTED: 12, ("gate", "L4_IN", "accepted"): 5, ("gate", "L3_IN", "rejected"): 2}
    assert outcomes(counters, "gate", "L3_IN") == {"accepted": 12, "rejected": 2}
    since = since_start(counters, "gate", "L3_IN", {"accepted": 10})
    assert since == {"accepted": 2, "rejected": 2}


def test_the_screen_shows_how_far_both_are_and_who_is_behind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    with screen(10, ("gate", "L3_IN"), 3) as shown:
        shown.published(5, lambda: busy(8))
        shown.looked(busy(9))
    told = capsys.readouterr()
    assert told.out == ""
    for part in ("published", "5/10", "judged", "6/10", "gate: 7 to go"):
        assert part in told.err


def test_the_screen_shows_nothing_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with screen(10, ("gate", "L3_IN"), 3) as shown:
        shown.published(5, lambda: busy(8))
        shown.looked(busy(8))
        shown.looked(idle(13))
    assert capsys.readouterr() == ("", "")
