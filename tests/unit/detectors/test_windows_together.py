"""Windows that are tested together find what each alone would find, in the same bits."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.drift.comparable import Comparable, update_all
from detectors.drift.drift_score import DriftScore
from detectors.drift.jensen_shannon import JensenShannon
from detectors.drift.ks import Ks
from detectors.drift.present import Present
from detectors.drift.psi import Psi
from detectors.drift.reference_window import Allow
from detectors.drift.z_test import ZTest
from detectors.online_fdr import Spending
from detectors.state import pack
from detectors.values import CAP, Floats
from detectors.watch import DriftWatch
from schemas.drift_settings import DriftSettings, ZTestSettings

Make = Callable[[], Comparable]
KINDS: tuple[Make, ...] = (Ks, Psi, JensenShannon, DriftScore, ZTest)
N_FIELDS = 6


def _values(seed: int, n: int) -> Floats:
    """Fields of which some shift, are constant, have ties, gaps, or numbers beyond all others."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N_FIELDS))
    x[int(rng.integers(700, n)) :, 1] += 2.0
    x[:, 2] = 4.0
    x[:, 3] = np.round(x[:, 3])
    x[rng.random(n) < 0.002, 4] = np.nan
    x[:, 5] *= 1e200
    return x


@pytest.mark.parametrize("make", KINDS)
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cuts=st.lists(st.integers(0, 2500), max_size=8),
    asking=st.booleans(),
)
def test_together_they_find_what_each_alone_finds(
    make: Make, seed: int, cuts: list[int], asking: bool
) -> None:
    x = _values(seed, 2500)
    alone, together = ([make() for _ in range(N_FIELDS)] for _ in range(2))
    levels = [[Spending(0.5, 60.0) for _ in range(N_FIELDS)] for _ in range(2)]
    for begin, end in pairwise([0, *sorted(cuts), 2500]):
        allows = [
            [_asked(each, begin) if asking else None for each in spendings] for spendings in levels
        ]
        columns = list(x[begin:end].T)
        wanted = [
            each.update(column, allow)
            for each, column, allow in zip(alone, columns, allows[0], strict=True)
        ]
        found = update_all(together, [Present.of(column) for column in columns], allows[1])
        assert repr(found) == repr(wanted)
    assert [pack(each.state()) for each in together] == [pack(each.state()) for each in alone]
    assert [each.state() for each in levels[1]] == [each.state() for each in levels[0]]


def _asked(spending: Spending, begin: int) -> Allow:
    return lambda p_value, row: spending.allows(p_value, (begin + row) / 50.0)


@pytest.mark.parametrize("make", KINDS)
def test_a_change_of_one_field_is_found_where_it_is_and_in_no_other(make: Make) -> None:
    x = np.random.default_rng(3).normal(size=(3000, N_FIELDS))
    x[2000:, 4] += 1.0
    [[found_alone]] = [make().update(x[:, 4])]
    several = [make() for _ in range(N_FIELDS)]
    found = update_all(several, [Present.of(c) for c in x.T], [None] * N_FIELDS)
    assert [len(each) for each in found] == [int(field == 4) for field in range(N_FIELDS)]
    assert found[4] == [found_alone]


@pytest.mark.parametrize("make", KINDS)
def test_windows_keep_their_own_values_and_not_the_batch_they_came_in(
    make: Make,
) -> None:
    several = [make() for _ in range(2)]
    x = np.random.default_rng(5).normal(size=(2000, 2))
    for begin in (0, 1000):
        columns = x[begin : begin + 1000].T
        update_all(several, [Present.of(c) for c in columns], [None, None])
    assert [each._current.base for each in several] == [None, None]


def test_a_constant_beyond_all_that_was_is_no_overflow() -> None:
    usual = np.random.default_rng(0).normal(size=500) * 1e-9
    [found] = ZTest(ZTestSettings(n_cur=64)).update(np.append(usual, np.full(300, np.inf)))
    assert found.measured.value == CAP  # warnings are errors


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**16), cuts=st.lists(st.integers(0, 2000), max_size=6))
def test_a_watch_with_all_of_them_finds_the_same_in_any_split(seed: int, cuts: list[int]) -> None:
    every = {make().kind: {} for make in KINDS}
    options = DriftSettings.model_validate({**every, "conformal": None})
    x, names = _values(seed, 2000), tuple("abcdef")
    whole, split = DriftWatch(options), DriftWatch(options)
    found = [(v.row, v.field, v.detector, v.explanation) for v in whole.observe(names, x)]
    parts = []
    for begin, end in pairwise([0, *sorted(cuts), 2000]):
        for v in split.observe(names, x[begin:end]):
            parts.append((v.row + begin, v.field, v.detector, v.explanation))
    assert parts == found
    assert pack(split.state()) == pack(whole.state())
