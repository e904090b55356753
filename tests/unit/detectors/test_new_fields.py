"""A field that appears later takes part: a successor takes over from the scorer there was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from detectors.watch import AnomalyWatch
from schemas.anomaly_settings import AnomalySettings

NAMES = ("a", "b", "c")
FROM = {"b": 700, "c": 900}
"""The rows at which fields appear."""

SCORERS = (
    "half_space_trees",
    "robust_mahalanobis",
    "loda",
    "one_class_svm",
    "local_outlier_factor",
    "autoencoder",
)


def _options(kind: str) -> AnomalySettings:
    return AnomalySettings(**{"half_space_trees": None, kind: {}})


def _rows(seed: int, n_rows: int = 2600) -> Floats:
    x = np.random.default_rng(seed).normal(size=(n_rows, 3))
    for name, row in FROM.items():
        x[:row, NAMES.index(name)] = np.nan
    return x


def _found(watch: AnomalyWatch, x: Floats, begin: int = 0) -> list[tuple[int, float, str]]:
    found = watch.observe(NAMES, x)
    return [(begin + each.row, each.score, each.explanation) for each in found]


@pytest.mark.parametrize("kind", ["half_space_trees", "robust_mahalanobis"])
@pytest.mark.parametrize("field", ["b", "c"])
def test_what_happens_in_a_new_field_is_flagged_once_it_takes_part(kind: str, field: str) -> None:
    x = _rows(1)
    odd = range(2200, 2600, 100)
    x[odd, NAMES.index(field)] = 300.0
    flagged = {row for row, _, _ in _found(AnomalyWatch(_options(kind)), x)}
    assert flagged >= set(odd)


def test_until_then_rows_are_judged_by_the_fields_there_were() -> None:
    x = _rows(1)
    odd = range(710, 1000, 20)
    x[odd, 0] = 30.0
    plain, later = x.copy(), x
    plain[:, 1:] = np.nan
    found = [
        [(row, score) for row, score, _ in _found(AnomalyWatch(AnomalySettings()), rows)]
        for rows in (plain, later)
    ]
    before = [[each for each in some if each[0] < 1200] for some in found]
    assert before[0] == before[1] != []
    assert found[0] != found[1]


@pytest.mark.parametrize("kind", SCORERS)
@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(0, 2600) | st.sampled_from([1199, 1200, 1201, 1700]), max_size=8))
def test_any_split_gives_the_same(kind: str, cuts: list[int]) -> None:
    x = _rows(2, 2000 if kind == "loda" else 2600)
    whole, split = AnomalyWatch(_options(kind)), AnomalyWatch(_options(kind))
    wanted, found, begin = _found(whole, x), [], 0
    for part in np.split(x, sorted(cuts)):
        found += _found(split, part, begin)
        begin += len(part)
        split.restore(unpack(pack(split.state())))
    assert found == wanted
    assert pack(whole.state()) == pack(split.state())


def test_fields_that_keep_appearing_cannot_put_it_off_for_ever() -> None:
    rng = np.random.default_rng(3)
    names = tuple(f"f{i:02}" for i in range(20))
    x = rng.normal(size=(4000, 20))
    for i in range(20):
        x[: 150 * i, i] = np.nan
    watch = AnomalyWatch(AnomalySettings())
    watch.observe(names, x)
    scorers = watch.state()["scorers"]["half_space_trees"]["benches"]
    assert len(scorers) <= 2
    assert len(scorers[0]["names"]) >= 17


def test_a_damaged_successor_is_refused() -> None:
    watch = AnomalyWatch(AnomalySettings())
    watch.observe(NAMES, _rows(1)[:800])
    state = watch.state()
    gauge = state["scorers"]["half_space_trees"]
    assert [each["names"] for each in gauge["benches"]] == [["a"], ["a", "b"]]
    for benches in ([7], [{}], [{**gauge["benches"][0], "quantile": {}}], gauge["benches"] * 2):
        broken = {**state, "scorers": {"half_space_trees": {"benches": benches}}}
        with pytest.raises(StateError):
            AnomalyWatch(AnomalySettings()).restore(broken)
