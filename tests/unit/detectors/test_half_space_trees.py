"""Half-space trees: every score is River's, to the last bit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import anomaly, preprocessing
from river.tree.padded import make_padded_tree

from detectors.anomaly.forest import grow
from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.anomaly.scaler import OnlineMinMaxScaler
from detectors.state import StateError
from detectors.values import Floats
from schemas.anomaly_settings import HalfSpaceTreesSettings


def _river_scores(names: tuple[str, ...], x: Floats, options: HalfSpaceTreesSettings) -> list:
    trees = anomaly.HalfSpaceTrees(
        n_trees=options.n_trees,
        height=options.height,
        window_size=options.window,
        seed=options.seed,
    )
    model = preprocessing.MinMaxScaler() | trees if options.scale else trees
    scores = []
    for values in x.tolist():
        row = {name: value for name, value in zip(names, values, strict=True) if value == value}
        scores.append(model.score_one(row))
        model.learn_one(row)
    return scores


def _data(seed: int, n_rows: int, n_fields: int, missing: float) -> Floats:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, n_fields))
    x[:, 0] = rng.integers(0, 3, n_rows)
    holes = rng.random(x.shape) < missing
    holes[0, rng.integers(n_fields)] = False
    x[holes] = np.nan
    return x


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    n_trees=st.integers(1, 5),
    height=st.integers(1, 7),
    window=st.integers(2, 70),
    missing=st.sampled_from([0.0, 0.0, 0.01, 0.5]),
    names=st.permutations(["a", "b", "c", "d"]).flatmap(
        lambda names: st.integers(1, 4).map(lambda n: tuple(names[:n]))
    ),
    cuts=st.lists(st.integers(0, 300), max_size=8),
)
def test_scores_equal_rivers_in_any_split(
    seed: int,
    n_trees: int,
    height: int,
    window: int,
    missing: float,
    names: tuple[str, ...],
    cuts: list[int],
) -> None:
    options = HalfSpaceTreesSettings(n_trees=n_trees, height=height, window=window, seed=seed)
    x = _data(seed, 300, len(names), missing)
    trees = HalfSpaceTrees(names, options)
    parts = pairwise([0, *sorted(cuts), 300])
    scores = np.concatenate([trees.score_learn(x[begin:end]) for begin, end in parts])
    assert np.abs(scores - _river_scores(names, x, options)).max() == 0.0


def test_default_scores_equal_rivers() -> None:
    names = tuple("abcdefghi")
    x = np.random.default_rng(4).normal(size=(1200, 9))
    options = HalfSpaceTreesSettings()
    ours = HalfSpaceTrees(names).score_learn(x)
    assert np.abs(ours - _river_scores(names, x, options)).max() == 0.0


def test_scores_without_scaling_equal_rivers() -> None:
    options = HalfSpaceTreesSettings(scale=False, window=50)
    x = np.random.default_rng(4).random(size=(400, 2))
    ours = HalfSpaceTrees(("a", "b"), options).score_learn(x)
    assert ours.tolist() == _river_scores(("a", "b"), x, options)


def test_the_forest_is_the_one_river_draws() -> None:
    import random

    rng = random.Random(42)
    limits = dict.fromkeys("abc", (0.0, 1.0))
    trees = [
        make_padded_tree(limits=dict(limits), height=5, padding=0.15, rng=rng, r_mass=0, l_mass=0)
        for _ in range(3)
    ]
    forest = grow((0, 1, 2), n_trees=3, height=5, seed=42)
    for number, tree in enumerate(trees):
        level = [tree]
        drawn = []
        while hasattr(level[0], "feature"):
            drawn += [("abc".index(node.feature), node.threshold) for node in level]
            level = [child for node in level for child in node.children]
        at = slice(number * forest.inner, (number + 1) * forest.inner)
        assert drawn == list(
            zip(forest.feature[at].tolist(), forest.threshold[at].tolist(), strict=True)
        )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=2), max_size=30))
def test_scaling_equals_rivers(rows: list[list[float]]) -> None:
    x = np.array(rows).reshape(-1, 2) + 0.0
    scaled = OnlineMinMaxScaler(2).scale_learn(x)
    river = preprocessing.MinMaxScaler()
    for row, before, after in zip(x.tolist(), scaled.before, scaled.after, strict=True):
        named = dict(enumerate(row))
        np.testing.assert_array_equal(list(river.transform_one(named).values()), before)
        river.learn_one(named)
        np.testing.assert_array_equal(list(river.transform_one(named).values()), after)


def test_rows_before_the_first_field_are_not_learnt() -> None:
    x = np.random.default_rng(1).normal(size=(300, 2))
    late = np.concatenate((np.full((20, 2), np.nan), x))
    ours, plain = HalfSpaceTrees(("a", "b")), HalfSpaceTrees(("a", "b"))
    scores = ours.score_learn(late)
    assert scores[20:].tolist() == plain.score_learn(x).tolist()
    assert not scores[:20].any()
    assert ours.n_learnt == 300


def test_a_field_that_the_first_row_lacks_is_left_out() -> None:
    x = np.random.default_rng(1).normal(size=(600, 2))
    x[0, 1] = np.nan
    both = HalfSpaceTrees(("a", "b")).score_learn(x)
    assert both.tolist() == HalfSpaceTrees(("a",)).score_learn(x[:, :1]).tolist()


def test_the_first_window_is_not_judged() -> None:
    trees = HalfSpaceTrees(("a",), HalfSpaceTreesSettings(window=30))
    scores = trees.score_learn(np.random.default_rng(1).normal(size=(60, 1)))
    assert trees.warm_up == 30
    assert not scores[:30].any()
    assert scores[30:].all()


def test_a_state_of_another_forest_is_refused() -> None:
    trees = HalfSpaceTrees(("a",))
    trees.score_learn(np.zeros((3, 1)))
    with pytest.raises(StateError, match="counts"):
        HalfSpaceTrees(("a",), HalfSpaceTreesSettings(height=3)).restore(trees.state())
