"""Fields that come up: told once, after a warm-up, and not when they were only rare."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from detectors.watch import DriftWatch
from detectors.watch.sentences import APPEARANCE
from schemas.drift_settings import DriftSettings
from schemas.findings import Severity

NAMES = ("old", "new")


def rows(begin: int, n: int = 600, share: float = 1.0, seed: int = 1) -> Floats:
    """``new`` is there from row ``begin`` on, in a share of the rows."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    x[:begin, 1] = np.nan
    x[rng.random(n) >= share, 1] = np.nan
    return x


def appeared(x: Floats, cuts: tuple[int, ...] = ()) -> list[tuple[int, str]]:
    watch, found = DriftWatch(DriftSettings()), []
    for begin, end in pairwise([0, *sorted(cuts), len(x)]):
        again = DriftWatch(DriftSettings())
        again.restore(unpack(pack(watch.state())))
        watch = again
        for each in watch.observe(NAMES, x[begin:end]):
            if each.detection.measured.statistic == APPEARANCE:
                found.append((begin + each.row, each.field))
    return found


def test_a_field_that_comes_up_is_told_of_once() -> None:
    [found] = DriftWatch(DriftSettings()).observe(NAMES, rows(400))
    assert (found.row, found.field, found.detector) == (403, "new", "presence")
    assert found.severity == Severity.MEDIUM
    assert found.detection.began_ago == 4
    assert found.explanation.startswith(
        "new has appeared: it is in 100 % of messages, and was in none of 400 before"
    )


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 600), max_size=6))
def test_any_split_tells_of_it_at_the_same_row(cuts: list[int]) -> None:
    x = rows(300, share=0.7)
    assert appeared(x, tuple(cuts)) == appeared(x)
    assert len(appeared(x)) == 1


def test_fields_that_come_while_the_watch_warms_up_are_no_news() -> None:
    assert appeared(rows(100)) == []


def test_a_field_that_was_always_there_but_rarely_is_no_news() -> None:
    for seed in range(40):
        assert appeared(rows(0, n=3000, share=0.002, seed=seed)) == []


def test_presence_off_tells_of_no_field() -> None:
    assert DriftWatch(DriftSettings(presence=None)).observe(NAMES, rows(400)) == []


def test_damaged_states_are_refused() -> None:
    watch = DriftWatch(DriftSettings())
    watch.observe(NAMES, rows(300, n=301))
    state = watch.state()
    arrivals = state["arrivals"]
    assert isinstance(arrivals, dict)
    for arriving in ({"other": np.zeros(3)}, {"new": -np.ones(3)}, {"new": np.zeros(2)}):
        with pytest.raises(StateError):
            DriftWatch(DriftSettings()).restore(
                {**state, "arrivals": {**arrivals, "arriving": arriving}}
            )
