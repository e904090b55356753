"""A full stream and a group that nobody reads are told once, and so is their end."""

import pytest
from structlog.testing import CapturingLogger

from streams.observe import StreamState
from supervisor.tide import Tide


def state(*, full: bool = False, strangers: tuple[str, ...] = (), lanes: int = 1) -> StreamState:
    return StreamState("L3", 1, 1, (), full, strangers, lanes)


def test_only_changes_are_told() -> None:
    log = CapturingLogger()
    tide = Tide(log)
    for seen in (
        state(),
        state(full=True),
        state(full=True, strangers=("old",)),
        state(strangers=("old",)),
        state(full=True),
    ):
        tide.look([seen])
    assert [call.args[0] for call in log.calls] == [
        "stream_full",
        "group_without_worker",
        "stream_has_room",
        "stream_full",
    ]


@pytest.mark.parametrize(
    ("lanes", "remedy"),
    [
        (1, "if nobody reads it any more: XGROUP DESTROY L3 old"),
        (4, "if nobody reads it any more: XGROUP DESTROY L3{0} old, and so on each lane"),
    ],
)
def test_the_remedy_names_a_key_that_there_is(lanes: int, remedy: str) -> None:
    log = CapturingLogger()
    Tide(log).look([state(strangers=("old",), lanes=lanes)])
    assert [call.kwargs["remedy"] for call in log.calls] == [remedy]
