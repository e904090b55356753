"""The publisher's open loop: a message's time is when it should be sent, not when it could be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.pipeline.pace import pace
from bench.pipeline.sizes import Load


class Time:
    """A clock that moves when somebody sleeps or is held up."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, for_s: float) -> None:
        self.now_s += for_s


def paced(load: Load, held_up_s: list[float]) -> tuple[dict[str, float], list[tuple[int, float]]]:
    """What ``pace`` returns, and when each message was sent; each sending takes so long."""
    time, sent, waits = Time(), list[tuple[int, float]](), iter(held_up_s)

    def publish(due: range) -> list[str]:
        sent.extend((number, time.now_s) for number in due)
        time.now_s += next(waits, 0.0)
        return [f"IN/{number}" for number in due]

    return pace(publish, load, 101.0, clock=time.clock, sleep=time.sleep), sent


def test_a_hold_up_delays_the_sending_and_not_the_intended_time() -> None:
    intended, sent = paced(Load(10, 2.0, 1), [5.0])
    assert intended["IN/0"] == pytest.approx(101.0)
    assert intended["IN/19"] == pytest.approx(102.9)
    assert [at_s for _, at_s in sent[1:]] == pytest.approx([106.0] * 19, abs=0.01)


@given(
    rate=st.integers(1, 5_000),
    count=st.integers(1, 60),
    held_up_s=st.lists(st.floats(0.0, 1.0), max_size=20),
)
def test_every_message_is_sent_once_in_order_and_never_early(
    rate: int, count: int, held_up_s: list[float]
) -> None:
    load = Load(rate, count / rate, 1)
    intended, sent = paced(load, held_up_s)
    assert [number for number, _ in sent] == list(range(load.messages))
    assert len(intended) == load.messages
    assert all(at_s >= intended[f"IN/{number}"] - 1e-6 for number, at_s in sent)
