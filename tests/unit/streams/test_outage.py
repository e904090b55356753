"""An outage is told once when it begins and once when it ends, and waits grow with jitter."""

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import CapturingLogger

from streams.outage import Backoff, Outage


@given(st.lists(st.floats(0, 29), max_size=40), st.floats(0, 1))
def test_a_wait_is_at_least_half_of_its_step_and_never_over_the_most(
    runs: list[float], share: float
) -> None:
    backoff = Backoff(first_s=0.5, most_s=30.0, calm_s=30.0, random_share=lambda: share)
    for tries, ran_s in enumerate(runs):
        step_s = min(30.0, 0.5 * 2**tries)
        assert step_s / 2 <= backoff.next_s(ran_s) <= step_s
    assert backoff.next_s(ran_s=30.0) <= 0.5, "a calm run"


def test_waits_double_up_to_the_most_and_jitter_stays_in_bounds() -> None:
    low = Outage(CapturingLogger(), random_share=lambda: 0.0)
    high = Outage(CapturingLogger(), random_share=lambda: 1.0)
    lows = [low.failed(OSError()) for _ in range(9)]
    highs = [high.failed(OSError()) for _ in range(9)]
    assert lows[:4] == [0.05, 0.1, 0.2, 0.4]
    assert lows[-1] == 2.5
    assert highs == [2 * wait for wait in lows]


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
