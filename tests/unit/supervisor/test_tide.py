"""A full stream and a group that nobody reads are told once, and so is their end."""

from structlog.testing import CapturingLogger

from streams.observe import StreamState
from supervisor.tide import Tide


def state(*, full: bool = False, strangers: tuple[str, ...] = ()) -> StreamState:
    return StreamState("L3", 1, 1, (), full, strangers)


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
    assert "XGROUP DESTROY L3 old" in log.calls[1].kwargs["remedy"]
