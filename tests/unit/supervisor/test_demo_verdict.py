"""Figures from events and labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.demo.data import SHIFT
from supervisor.demo.verdict import Account, Change, Flag, accuracy, by_severity, judge_drift

READINGS = 1_000  # the shift begins at 600


def change(number: int, field: str = "measurements.flow_l_s", sensor: str = "waterflow") -> Change:
    return Change("L3", sensor, field, "adwin", "high", 1.9, sensor, number)


def test_precision_and_recall_are_shares_of_the_flagged_and_of_the_anomalous() -> None:
    flags = [Flag("shuttle", n, "low") for n in (0, 1, 2)]
    found = accuracy(flags, "shuttle", [True, False, True, True, True, False])
    assert (found.precision, found.recall) == (pytest.approx(2 / 3), 0.5)


def test_a_reading_that_is_flagged_twice_counts_once_and_others_sensors_do_not() -> None:
    flags = [Flag("shuttle", 0, "low"), Flag("shuttle", 0, "high"), Flag("waterflow", 1, "low")]
    found = accuracy(flags, "shuttle", [True, True])
    assert (found.flagged, found.precision, found.recall) == (1, 1.0, 0.5)


def test_there_is_no_precision_without_flags_and_no_recall_without_anomalies() -> None:
    nothing = accuracy([], "shuttle", [False, False], share=0.01)
    assert (nothing.precision, nothing.recall, nothing.ceiling) == (None, None, None)


def test_the_ceiling_of_recall_follows_from_the_flagged_share() -> None:
    labels = [number < 7 for number in range(100)]
    assert accuracy([], "shuttle", labels, share=0.01).ceiling == pytest.approx(1 / 7)
    assert accuracy([], "shuttle", labels, share=0.5).ceiling == 1.0
    assert accuracy([], "shuttle", labels).ceiling is None


@given(st.sets(st.integers(0, 49)), st.lists(st.booleans(), min_size=50, max_size=50))
def test_shares_are_shares(numbers: set[int], labels: list[bool]) -> None:
    found = accuracy([Flag("a", n, "low") for n in numbers], "a", labels)
    for share in (found.precision, found.recall):
        assert share is None or 0.0 <= share <= 1.0
    assert found.hits <= min(found.flagged, found.anomalous)


def test_events_are_counted_by_severity() -> None:
    flags = [Flag("a", 1, "low"), Flag("a", 2, "low"), Flag("b", 1, "critical")]
    assert by_severity(flags) == {"low": 2, "critical": 1}


def test_the_first_event_of_the_shifted_field_behind_the_shift_finds_it() -> None:
    early, late, later = change(599), change(640), change(700)
    verdict = judge_drift([later, early, late], SHIFT, READINGS)
    assert (verdict.found, verdict.delay) == (late, 40)
    assert verdict.others == (later, early)


@pytest.mark.parametrize(
    "other", [change(700, "measurements.f1"), change(700, sensor="shuttle"), change(10)]
)
def test_an_event_elsewhere_or_earlier_does_not_find_the_shift(other: Change) -> None:
    verdict = judge_drift([other], SHIFT, READINGS)
    assert (verdict.found, verdict.delay, verdict.others) == (None, None, (other,))


def test_the_account_balances_when_nothing_is_lost_and_nothing_comes_twice() -> None:
    assert Account(published=12, valid=10, rejected=2).balanced
    assert not Account(published=12, valid=10, rejected=1).balanced
    assert not Account(published=12, valid=11, rejected=2, others=1).balanced
