"""How many keys a worker remembers: as many as a checkpoint has room for."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.state import StateError, pack, unpack
from detectors.watch import AnomalyVerdict, AnomalyWatch, DriftVerdict, DriftWatch, KeyedWatch
from detectors.watch.keyed import MOST_BYTES, size_of
from schemas.anomaly_settings import AnomalySettings, HalfSpaceTreesSettings, QuantileSettings
from schemas.drift_settings import DriftSettings
from streams import checkpoint

NAMES = ("a", "b", "c")
OPTIONS = AnomalySettings(
    half_space_trees=HalfSpaceTreesSettings(n_trees=3, height=4, window=20),
    quantile=QuantileSettings(share=0.05, window=2000, warm_up=20),
)


def _keyed(max_bytes: int, max_keys: int = 1000) -> KeyedWatch[AnomalyVerdict]:
    return KeyedWatch(lambda: AnomalyWatch(OPTIONS), max_keys, max_bytes)


def _rows(n_rows: int, n_keys: int, seed: int = 1) -> tuple[list[str | None], np.ndarray]:
    rng = np.random.default_rng(seed)
    keys = [f"k{i}" for i in rng.integers(0, n_keys, n_rows)]
    return list(keys), rng.normal(size=(n_rows, 3))


def test_keys_are_forgotten_when_their_states_are_too_large_together() -> None:
    keys, x = _rows(20_480, 30)
    keyed = _keyed(150_000)
    for at in range(0, 20_480, 2048):  # the sizes are looked at after every 2048 rows
        keyed.observe(keys[at : at + 2048], NAMES, x[at : at + 2048])
        assert len(pack(keyed.state())) < 1.3 * 150_000
    assert 5 <= keyed.n_keys < 30
    assert keyed.evicted > 0


def test_the_one_key_there_is_stays_however_large() -> None:
    _, x = _rows(2000, 1)
    keyed = _keyed(1000)
    keyed.observe(["k"] * 2000, NAMES, x)
    assert (keyed.n_keys, keyed.evicted) == (1, 0)


def test_the_keys_least_lately_seen_go_first() -> None:
    x = np.random.default_rng(1).normal(size=(2048, 3))
    keys: list[str | None] = [f"k{i // 64}" for i in range(2048)]
    keyed = _keyed(40_000)
    keyed.observe(keys, NAMES, x)
    kept = keyed.state()["keys"]
    assert 1 < keyed.n_keys < 32
    assert kept == [f"k{i}" for i in range(32 - keyed.n_keys, 32)]


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 99),
    cuts=st.lists(st.integers(0, 7000), max_size=10),
    n_keys=st.integers(1, 30),
)
def test_who_is_forgotten_does_not_depend_on_the_split(
    seed: int, cuts: list[int], n_keys: int
) -> None:
    keys, x = _rows(7000, n_keys, seed)
    whole, split = _keyed(60_000, 25), _keyed(60_000, 25)
    wanted = [repr(each) for each in whole.observe(keys, NAMES, x)]
    found = []
    for begin, end in pairwise([0, *sorted(cuts), 7000]):
        part = split.observe(keys[begin:end], NAMES, x[begin:end])
        found += [(begin + each.row, each.score) for each in part]
        split.restore(unpack(pack(split.state())))
    assert len(found) == len(wanted)
    assert pack(whole.state()) == pack(split.state())


def test_a_size_is_about_that_of_the_packed_state() -> None:
    anomaly, drift = AnomalyWatch(AnomalySettings()), DriftWatch(DriftSettings())
    for n_rows in (1, 300, 5000):
        x = np.random.default_rng(1).normal(size=(n_rows, 3))
        for watch in (anomaly, drift):
            watch.observe(NAMES, x)
            size = len(pack(watch.state()))
            assert 0.98 * size < size_of(watch.state()) < 1.15 * size + 1000


def test_what_the_keys_may_take_fits_a_checkpoint_with_all_that_is_not_measured_yet() -> None:
    newborn: KeyedWatch[DriftVerdict] | KeyedWatch[AnomalyVerdict]
    for newborn in (KeyedWatch(lambda: AnomalyWatch(AnomalySettings())), _drift()):
        newborn.observe(["k"], NAMES, np.zeros((1, 3)))
        unmeasured = 1000 * len(pack(newborn.state()))
        assert 1.25 * MOST_BYTES + unmeasured < checkpoint._MOST_BYTES


def _drift() -> KeyedWatch[DriftVerdict]:
    return KeyedWatch(lambda: DriftWatch(DriftSettings()))


def test_sizes_below_zero_are_refused() -> None:
    keyed = _keyed(1000)
    keyed.observe(["k"], NAMES, np.zeros((1, 3)))
    with pytest.raises(StateError, match="below 0"):
        _keyed(1000).restore({**keyed.state(), "sizes": np.array([[1, 1, -1]])})


def test_the_state_of_a_key_is_within_what_the_page_says() -> None:
    watch = AnomalyWatch(AnomalySettings())
    watch.observe(tuple("abcde"), np.random.default_rng(1).normal(size=(20_000, 5)))
    assert 100_000 < len(pack(watch.state())) < 120_000
