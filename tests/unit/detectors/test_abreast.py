"""Detectors that judge side by side find what each alone would find, in the same bits."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.drift.bets import rank_bets
from detectors.drift.conformal import Conformal
from detectors.drift.evidence import BLOCK, Evidence, push_all
from detectors.drift.present import Present
from detectors.drift.ranks import SlidingRanks
from detectors.state import pack
from detectors.values import Floats
from schemas.drift_settings import ConformalSettings

SOON = ConformalSettings(n_start=200, n_ref=400)
N_FIELDS = 10  # more than judge at once


def _values(seed: int, n: int) -> Floats:
    """Fields that shift at some time, follow themselves, have ties, or gaps, or none of it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N_FIELDS))
    x[int(rng.integers(300, n)) :, 1] += 3.0
    x[int(rng.integers(300, n)) :, 2] *= 4.0
    x[:, 3] = np.cumsum(x[:, 3])
    x[:, 4] = np.round(x[:, 4])
    x[rng.random(n) < 0.002, 5] = np.nan
    return x


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cuts=st.lists(st.integers(0, 1500), max_size=8),
    weighted=st.booleans(),
)
def test_side_by_side_they_find_what_each_alone_finds(
    seed: int, cuts: list[int], weighted: bool
) -> None:
    x = _values(seed, 1500)
    weights = np.random.default_rng(seed).uniform(0.0, 1e-4, 1500) if weighted else None
    alone, abreast = ([Conformal(SOON) for _ in range(N_FIELDS)] for _ in range(2))
    for begin, end in pairwise([0, *sorted(cuts), 1500]):
        own = None if weights is None else weights[begin:end]
        columns = list(x[begin:end].T)
        wanted = [each.update(column, own) for each, column in zip(alone, columns, strict=True)]
        values = [Present.of(column, own) for column in columns]
        assert repr(Conformal.update_all(abreast, values)) == repr(wanted)
    assert [pack(a.state()) for a in abreast] == [pack(a.state()) for a in alone]


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    size=st.integers(1, 300),
    n_past=st.integers(0, 400),
    n=st.integers(1, 300),
    step=st.sampled_from([0.0, 0.1, 2.0]),
    overflowing=st.booleans(),
)
def test_ranks_of_several_are_those_of_a_plain_count(
    seed: int, size: int, n_past: int, n: int, step: float, overflowing: bool
) -> None:
    rng, n = np.random.default_rng(seed), min(n, size)
    x = rng.normal(size=(3, n_past + n))
    x = np.round(x / step) * step if step else x
    if overflowing:  # as what whitening leaves of a huge value may be
        x[rng.random(x.shape) < 0.1] = rng.choice([-np.inf, np.inf])
    several = [SlidingRanks(size, row[:n_past]) for row in x]
    got = SlidingRanks.places_of(several, x[:, n_past:])
    for row, below, equal, seen in zip(x, *got, strict=True):
        for i in range(n):
            past = row[max(0, n_past + i - size) : n_past + i]
            value = row[n_past + i]
            wanted = ((past < value).sum(), (past == value).sum(), len(past))
            assert (below[i], equal[i], seen[i]) == wanted


def test_what_overflows_when_it_is_whitened_is_judged_alike_in_any_split() -> None:
    rng = np.random.default_rng(3)
    x = np.zeros(4000)
    for i, noise in enumerate(rng.normal(size=3999) * 1e-12, start=1):
        x[i] = 0.7 * x[i - 1] + noise
    x[400:][rng.random(3600) < 0.1] = 1e300
    found = []
    for step in (4000, 500, 7, 1):
        detector, rows = Conformal(), []
        for begin in range(0, 4000, step):
            rows += [begin + each.row for each in detector.update(x[begin : begin + step])]
        found.append(rows)
    assert found[0]
    assert found == [found[0]] * 4


def test_a_shift_of_one_field_ends_the_march_of_all_and_is_found_where_it_is() -> None:
    x = np.random.default_rng(3).normal(size=(3000, N_FIELDS))
    x[2000:, 7] += 1.0
    found = Conformal.update_all([Conformal() for _ in range(N_FIELDS)], _whole(x))
    [[found_alone]] = [Conformal().update(x[:, 7])]
    assert [len(each) for each in found] == [int(field == 7) for field in range(N_FIELDS)]
    assert found[7] == [found_alone]


def _whole(x: Floats) -> list[Present]:
    return [Present.of(column) for column in x.T]


@pytest.mark.parametrize("before", [0, 5, BLOCK])
def test_what_exceeds_its_limit_changes_nothing_and_does_not_overflow(before: int) -> None:
    bets = rank_bets()
    several = [Evidence(bets.stakes) for _ in range(2)]
    for each in several:
        each.push(np.ones((before, len(bets.stakes))))
    states = [pack(each.state()) for each in several]
    far = np.full((2, 5 * BLOCK), 511)  # every value lies beyond all before it
    assert not push_all(several, bets.pays, far, 1.0, np.array([1e6, 1e6]))
    assert [pack(each.state()) for each in several] == states
