"""A sketch's ranks are as good as it says, whatever the values and however they come."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.sketch import SIZE, Sketch
from detectors.state import StateError, pack, unpack
from detectors.values import Floats

finite = st.floats(-1e6, 1e6).map(lambda value: round(value, 1))
few = arrays(np.float64, st.integers(1, 2000), elements=finite)
seeds = st.integers(0, 2**32 - 1)


def of(values: Floats) -> Sketch:
    sketch = Sketch()
    sketch.update(values)
    return sketch


def rank_errors(sketch: Sketch, values: Floats) -> Floats:
    """How far the sketch's ranks lie from the true ones, at every value."""
    points = np.unique(values)
    true = np.searchsorted(np.sort(values), points, side="right") / len(values)
    errors: Floats = np.abs(sketch.ranks(points) - true)
    return errors


@given(few)
@settings(max_examples=100)
def test_no_rank_is_ever_worse_than_the_bound_that_holds_whatever_the_values(x: Floats) -> None:
    sketch = of(x)
    assert rank_errors(sketch, x).max() <= sketch.worst_rank_error + 1e-12


SHAPES: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "heavy": lambda rng, n: rng.standard_cauchy(size=n),
    "ties": lambda rng, n: rng.integers(0, 5, n).astype(np.float64),
    "ascending": lambda rng, n: np.arange(n, dtype=np.float64),
    "descending": lambda rng, n: np.arange(n, dtype=np.float64)[::-1],
    "zigzag": lambda rng, n: np.where(np.arange(n) % 2, 1.0, -1.0) * np.arange(n),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_ranks_of_long_streams_are_within_the_stated_error(shape: str) -> None:
    rng, within = np.random.default_rng(31), []
    for _ in range(8):
        x = SHAPES[shape](rng, int(rng.integers(20_000, 60_000)))
        sketch = of(x)
        assert sketch.n_kept < 4 * SIZE
        assert sketch.rank_error < 0.015
        points = np.quantile(x, np.linspace(0.01, 0.99, 25))
        true = np.searchsorted(np.sort(x), points, side="right") / len(x)
        within += list(np.abs(sketch.ranks(points) - true) <= sketch.rank_error)
    assert np.mean(within) >= 0.99


@given(few, st.lists(st.integers(0, 2000), max_size=6))
@settings(max_examples=50)
def test_any_split_into_calls_gives_the_same_sketch_to_the_bit(x: Floats, cuts: list[int]) -> None:
    split = Sketch()
    for part in np.split(x, sorted(cut % (len(x) + 1) for cut in cuts)):
        split.update(part)
    assert pack(split.state()) == pack(of(x).state())


@given(seeds, st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_merged_parts_keep_the_bound_and_lose_no_value(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=int(rng.integers(1, 20_000)))
    merged = Sketch()
    for part in np.array_split(x, parts):
        merged.merge(of(part))
    values, weights = merged.weighted()
    assert len(merged) == len(x) == weights.sum()
    assert (np.diff(values) >= 0).all()
    assert merged.n_kept < 4 * SIZE
    assert rank_errors(merged, x).max() <= merged.worst_rank_error + 1e-12


@given(few)
@settings(max_examples=50)
def test_a_sketch_that_was_stored_goes_on_as_one_that_was_not(x: Floats) -> None:
    whole, half = of(x), of(x[: len(x) // 2])
    again = Sketch()
    again.restore(unpack(pack(half.state())))
    again.update(x[len(x) // 2 :])
    assert pack(again.state()) == pack(whole.state())


def test_few_values_are_kept_as_they_are() -> None:
    x = np.random.default_rng(2).normal(size=SIZE - 1)
    sketch = of(x)
    assert sketch.worst_rank_error == 0.0
    assert rank_errors(sketch, x).max() == 0.0
    assert sketch.quantile(0.5) == np.sort(x)[(len(x) - 1) // 2]


def test_ends_are_exact_and_no_value_is_no_number() -> None:
    x = np.append(np.random.default_rng(4).normal(size=100_000), [np.nan, 1e9, -np.inf])
    sketch = of(x)
    assert (len(sketch), sketch.quantile(0.0), sketch.quantile(1.0)) == (100_002, -1e300, 1e9)
    assert list(sketch.ranks(np.array([-np.inf, 1e9]))) == [0.0, 1.0]
    empty = of(np.full(3, np.nan))
    assert len(empty) == 0
    with pytest.raises(ValueError, match="no values"):
        empty.quantile(0.5)


def test_a_sketch_of_half_a_million_values_is_kilobytes() -> None:
    sketch = of(np.random.default_rng(6).normal(size=500_000))
    assert len(pack(sketch.state())) < 12_000


@pytest.mark.parametrize(
    "change",
    [{"n": 7}, {"levels": []}, {"levels": [np.array([np.nan])]}, {"low": 3.0}, {"squares": -1}],
)
def test_a_state_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    state = of(np.array([1.0])).state()
    with pytest.raises(StateError):
        Sketch().restore({**state, **change})  # type: ignore[dict-item]
