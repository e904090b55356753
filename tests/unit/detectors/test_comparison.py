"""Two samples differ when that is certain, by as much as the words say, and else they do not."""

import math

import numpy as np
import pytest

from detectors.comparison import Comparison, compare
from detectors.sketch import Sketch
from detectors.values import Floats


def of(values: Floats) -> Sketch:
    sketch = Sketch()
    sketch.update(values)
    return sketch


def samples(shift: float, n: int = 50_000, m: int = 2000, seed: int = 1) -> Comparison:
    rng = np.random.default_rng(seed)
    return compare(of(rng.normal(size=n)), of(rng.normal(shift, 1.0, size=m)))


@pytest.mark.parametrize("n", [100, 5000, 200_000])
def test_samples_of_one_distribution_are_seldom_called_different(n: int) -> None:
    found = [samples(0.0, n, 500, seed) for seed in range(60)]
    assert sum(each.p_value <= 0.05 for each in found) <= 6
    assert not any(each.is_change(0.001) for each in found)


@pytest.mark.parametrize(
    ("shift", "size"), [(0.1, "negligible"), (0.35, "small"), (0.65, "medium"), (1.2, "large")]
)
def test_a_shift_is_as_large_as_its_deviations(shift: float, size: str) -> None:
    found = samples(shift)
    assert found.size == size
    assert found.shift == pytest.approx(shift, abs=0.1)
    assert found.is_change(0.01) == (size != "negligible")


def test_a_change_of_spread_is_seen_and_told() -> None:
    rng = np.random.default_rng(4)
    found = compare(of(rng.normal(size=5000)), of(rng.normal(0.0, 3.0, size=2000)))
    assert found.is_change(0.01)
    assert found.words(0.01).startswith(f"{found.size} change: ")
    assert "spread 3" in found.words(0.01)


def test_the_direction_of_a_shift_is_told() -> None:
    assert "median up by 1.2 deviations" in samples(1.2).words(0.01)
    assert "median down by 1.2 deviations" in samples(-1.2).words(0.01)
    assert samples(0.0).words(0.01) == "no change"


def test_what_is_certain_may_be_negligible() -> None:
    found = samples(0.1, n=300, m=390, seed=2)
    large = compare(of(np.zeros(300)), of(np.append(np.zeros(399), 1.0)))
    assert found.words(0.01) == large.words(0.01) == "no change"
    assert samples(0.16, n=300_000, m=300_000).words(0.01) == "a negligible change"


def test_a_share_of_ones_is_compared_as_well() -> None:
    rng = np.random.default_rng(8)
    errors = [(rng.random(3000) < share).astype(np.float64) for share in (0.1, 0.1, 0.4)]
    assert not compare(of(errors[0]), of(errors[1])).is_change(0.01)
    assert compare(of(errors[0]), of(errors[2])).is_change(0.01)


def test_a_constant_that_became_another_has_moved_without_end() -> None:
    found = compare(of(np.full(500, 2.0)), of(np.full(500, 3.0)))
    assert (found.shift, found.size) == (1e6, "large")
    assert math.isnan(found.spread)
    assert found.words(0.01) == "large change: median up by 1e+06 deviations, other spread"
    assert compare(of(np.full(500, 2.0)), of(np.full(500, 2.0))).words(0.01) == "no change"


def test_of_few_values_nothing_is_said() -> None:
    found = compare(of(np.zeros(500)), of(np.ones(19)))
    assert found.p_value == 1.0
    assert found.words(0.01) == "too few values to tell: 20 at least"
