"""Frozen fields keep to what was normal, and tell of a drift for as long as it lasts."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from detectors.watch import DriftWatch
from detectors.watch.held import REST
from schemas.drift_settings import DriftSettings

NAMES = ("a", "wrong")
OPTIONS = DriftSettings(errors=("wrong",))
CHANGE = 1500


def rows(seed: int = 5, until: int = 4000) -> Floats:
    """A value that moves by a deviation for 1,500 rows, and errors that become more frequent."""
    rng, at = np.random.default_rng(seed), np.arange(until)
    is_changed = (at >= CHANGE) & (at < CHANGE + 1500)
    wrong = rng.random(until) < np.where(is_changed, 0.4, 0.1)
    return np.stack((rng.normal(size=until) + is_changed, wrong), axis=1)


def watch(x: Floats, *held: str) -> DriftWatch:
    made = DriftWatch(OPTIONS)
    assert made.observe(NAMES, x[:1000]) == []
    made.hold(held)
    return made


def found(made: DriftWatch, x: Floats, field: str) -> list[int]:
    return [each.row for each in made.observe(NAMES, x) if each.field == field]


@pytest.mark.parametrize("field", NAMES)
def test_a_drift_from_what_is_frozen_is_told_for_as_long_as_it_lasts(field: str) -> None:
    x = rows()
    alarms = found(watch(x, field), x[1000:], field)
    assert all(500 < row < 2500 for row in alarms)
    assert 3 <= len(alarms) <= 1500 // REST
    assert len(found(watch(x), x[1000:], field)) == (2 if field == "a" else 1)


def test_what_is_not_frozen_any_more_is_learnt_again() -> None:
    x = rows()
    made = watch(x, "a")
    assert len(found(made, x[1000:2000], "a")) >= 1
    made.hold(())
    assert len(found(made, x[2000:3000], "a")) <= 1
    assert pack(made.state()["held"]) == pack({})


def test_a_field_that_is_not_known_well_enough_is_held_once_it_is() -> None:
    x, made = rows(), DriftWatch(OPTIONS)
    made.observe(NAMES, x[:250])
    made.hold(("a", "wrong"))
    assert list(made.state()["held"]) == ["wrong"]
    made.observe(NAMES, x[250:400])
    made.hold(("a", "wrong"))
    assert sorted(made.state()["held"]) == ["a", "wrong"]


def test_what_is_set_anew_is_not_held_to_what_was_before() -> None:
    x = rows()
    made = watch(x, "a")
    made.observe(NAMES, x[1000:1700])
    made.relearn(("a",))
    assert found(made, x[1700:3000], "a") == []


@settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), max_size=8))
def test_any_split_gives_the_same(cuts: list[int]) -> None:
    x = rows(seed=6)[1000:]
    whole, split, alarms = watch(rows(6), *NAMES), watch(rows(6), *NAMES), []
    for begin, end in pairwise([0, *sorted(cuts), len(x)]):
        again = DriftWatch(OPTIONS)
        again.restore(unpack(pack(split.state())))
        split = again
        for each in split.observe(NAMES, x[begin:end]):
            alarms.append((begin + each.row, each.field, each.detection.measured))
    told = [(each.row, each.field, each.detection.measured) for each in whole.observe(NAMES, x)]
    assert alarms == told
    assert pack(split.state()) == pack(whole.state())


def test_a_state_of_detectors_that_are_not_there_is_refused() -> None:
    state = watch(rows(), "a").state()
    held = state["held"]
    assert isinstance(held, dict)
    with pytest.raises(StateError, match="unknown here"):
        DriftWatch(OPTIONS).restore({**state, "held": {"b": held["a"]}})
