"""An outage is told once when it begins and once when it ends, and waits grow with jitter."""

from structlog.testing import CapturingLogger

from streams.outage import Outage


def test_waits_double_up_to_the_most_and_jitter_stays_in_bounds() -> None:
    low = Outage(CapturingLogger(), random_share=lambda: 0.0)
    high = Outage(CapturingLogger(), random_share=lambda: 1.0)
    lows = [low.failed(OSError()) for _ in range(9)]
    highs = [high.failed(OSError()) for _ in range(9)]
    assert lows[:4] == [0.05, 0.1, 0.2, 0.4]
    assert lows[-1] == 2.5
    assert highs == [3 * wait for wait in lows]


def test_one_line_at_the_start_and_one_at_the_end() -> None:
    log = CapturingLogger()
    outage = Outage(log)
    for _ in range(5):
        outage.failed(OSError("gone"))
    outage.over()
    outage.over()
    assert [call.args[0] for call in log.calls] == ["server_away", "server_back"]
    assert not outage.lasting
    outage.failed(OSError("again"))
    assert log.calls[-1].args == ("server_away",)
