"""When a process is to be replaced for its memory: past the limit, or in a steady rise."""

import random

import pytest

from schemas.supervisor_event import Action
from supervisor.memory import WINDOW, Excess, Memory, steady_rise_bytes

MB = 1e6


def told(course: list[float], limit: int | None = None) -> list[tuple[int, Excess]]:
    """What is found in a course of memory, in MB, looked at every 20 s."""
    memory = Memory()
    found = [(n, memory.look(n * 20.0, int(mb * MB), limit)) for n, mb in enumerate(course)]
    return [(n, excess) for n, excess in found if excess is not None]


def noisy(course: list[float], seed: int, spread: float = 3.0) -> list[float]:
    rng = random.Random(seed)
    return [mb + rng.gauss(0, spread) for mb in course]


def test_the_limit_is_judged_at_once() -> None:
    found = told([100, 299, 301], limit=300_000_000)
    assert [n for n, _ in found] == [2]
    assert found[0][1].action is Action.MEMORY_LIMIT
    assert found[0][1].details == {"rss_bytes": 301_000_000, "limit_bytes": 300_000_000}


@pytest.mark.parametrize("seed", range(10))
def test_a_leak_is_found_through_noise_within_its_first_window(seed: int) -> None:
    leak = noisy([200 + n * 4 / 3 for n in range(100)], seed)  # 4 MB a minute
    found = told(leak)
    assert [excess.action for _, excess in found][:1] == [Action.MEMORY_GROWTH]
    assert found[0][0] <= (WINDOW + 1) * 3


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    "course",
    [
        [200.0] * 400,
        [200 + min(n, 45) * 4.0 for n in range(400)],  # a cache that is filled in 15 minutes
        [200 + (150 if n > 60 else 0) for n in range(400)],  # one jump
        [200 + 80 * ((n // 30) % 2) for n in range(400)],  # up and down
        [200 + n * 0.1 for n in range(400)],  # 0.3 MB a minute
    ],
    ids=["flat", "cache", "jump", "waves", "slight"],
)
def test_what_is_no_steady_rise_is_left_alone(course: list[float], seed: int) -> None:
    assert told(noisy(course, seed)) == []


def test_after_a_rise_was_told_the_half_hour_begins_anew() -> None:
    found = told([200 + n * 2.0 for n in range(6 * WINDOW + 6)])
    assert len(found) == 2
    assert found[1][0] - found[0][0] >= 3 * WINDOW


def test_too_few_samples_tell_nothing() -> None:
    assert steady_rise_bytes([n * 100 * MB for n in range(WINDOW - 1)]) is None
