"""What looks at all fields together: the robust distance and the autoencoder."""

import numpy as np
import pytest
from river import datasets

from bench.detection.shuttle import NAMES as SHUTTLE
from bench.detection.shuttle import roc_auc
from detectors.anomaly.autoencoder import Autoencoder
from detectors.anomaly.robust_mahalanobis import RobustMahalanobis
from detectors.state import StateError
from detectors.values import Floats
from schemas.anomaly_settings import AutoencoderSettings, RobustMahalanobisSettings

PLAIN = RobustMahalanobisSettings(kept=1.0, steps=1, ridge=1e-12, warm_up=200, stride=1000)


def _mixed(n_rows: int, width: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(n_rows, 3)) @ rng.normal(size=(3, width))
    return causes * np.logspace(-3, 3, width) + 0.1 * rng.normal(size=causes.shape)


def test_with_all_rows_kept_the_distance_is_mahalanobis() -> None:
    x = np.random.default_rng(1).normal(size=(260, 3)) @ np.array([[1, 0, 0], [2, 1, 0], [0, 3, 1]])
    scores = RobustMahalanobis(("a", "b", "c"), PLAIN).score_learn(x)
    past, rest = x[:200], x[200:] - x[:200].mean(axis=0)
    precision = np.linalg.inv(np.cov(past.T, bias=True))
    wanted = np.sqrt(np.einsum("ij,jk,ik->i", rest, precision, rest))
    assert scores[200:] == pytest.approx(wanted, rel=1e-6)
    assert not scores[:200].any()


def test_shuttle_is_told_apart() -> None:
    rows = list(datasets.Shuttle())
    x = np.array([[float(row[name]) for name in SHUTTLE] for row, _ in rows])
    scores = RobustMahalanobis(SHUTTLE).score_learn(x)
    assert roc_auc(scores, np.array([label == 1 for _, label in rows])) >= 0.99


def test_many_equal_anomalies_do_not_hide_themselves() -> None:
    rng = np.random.default_rng(4)
    x, odd = rng.normal(size=(3000, 4)), rng.random(3000) < 0.15
    x[odd] = rng.normal(size=4) * 6.0 + 0.1 * rng.normal(size=(odd.sum(), 4))
    scores = RobustMahalanobis(tuple("abcd")).score_learn(x)
    assert roc_auc(scores[500:], odd[500:]) > 0.999


def test_the_guilty_field_has_the_largest_ratio_and_its_expected_value() -> None:
    x = _mixed(2000, 5, 3)
    x[1500, 2] += 30.0 * x[:, 2].std()
    found = RobustMahalanobis(tuple("abcde")).judge_learn(x)
    assert found.scores.argmax() == 1500
    assert found.fields is not None
    assert found.fields.ratio[1500].argmax() == 2
    assert found.fields.center[1500, 2] == pytest.approx(0.0, abs=x[:, 2].std())


def test_a_constant_field_that_moves_is_far_away() -> None:
    x = np.random.default_rng(1).normal(size=(1000, 2))
    x[:, 1] = 7.0
    x[900, 1] = 8.0
    scores = RobustMahalanobis(("a", "b")).score_learn(x)
    assert scores.argmax() == 900
    assert scores[900] > 100.0


@pytest.mark.parametrize("cls", [RobustMahalanobis, Autoencoder])
def test_missing_values_are_no_anomalies(cls: type) -> None:
    x = _mixed(3000, 8, 5)
    whole = cls(tuple("abcdefgh")).score_learn(x)
    holed = x.copy()
    holed[2000:, 3] = np.nan
    scores = cls(tuple("abcdefgh")).score_learn(holed)
    assert np.isfinite(scores).all()
    assert np.quantile(scores[2000:], 0.9) < 2.0 * np.quantile(whole[1000:2000], 0.99)


def test_the_autoencoder_learns_what_fields_have_in_common() -> None:
    rng = np.random.default_rng(7)
    x = _mixed(8000, 40, 2)
    odd = np.arange(4000, 8000, 40)
    for row in odd:
        x[row] = x[rng.integers(0, 4000, 40), np.arange(40)]  # each field usual, not together
    names = tuple(f"f{number}" for number in range(40))
    found = Autoencoder(names).judge_learn(x)
    is_odd = np.isin(np.arange(8000), odd)
    assert roc_auc(found.scores[4000:], is_odd[4000:]) > 0.95
    assert found.fields is not None
    calm = ~is_odd[4000:]
    error = np.abs(found.fields.center[4000:] - x[4000:])[calm] / x[4000:][calm].std(axis=0)
    assert np.median(error) < 0.3


def test_an_outlier_teaches_the_autoencoder_little() -> None:
    x = _mixed(4000, 10, 2)
    hit = x.copy()
    hit[3000] = 1e250
    names = tuple("abcdefghij")
    calm, after = Autoencoder(names).score_learn(x), Autoencoder(names).score_learn(hit)
    assert after[3000] == after.max()
    assert after[3000] > 1e3
    assert np.isfinite(after).all()
    assert calm[:3000].tolist() == after[:3000].tolist()


def test_another_seed_gives_another_network() -> None:
    x = _mixed(700, 4, 2)
    one, other = (
        Autoencoder(tuple("abcd"), AutoencoderSettings(seed=seed)).score_learn(x)[-100:]
        for seed in (1, 2)
    )
    assert one.tolist() != other.tolist()


@pytest.mark.parametrize("cls", [RobustMahalanobis, Autoencoder])
def test_numbers_that_are_not_finite_are_refused(cls: type) -> None:
    detector = cls(tuple("abcd"))
    detector.score_learn(_mixed(700, 4, 2))
    state = detector.state()
    part, name = ("bulk", "precision") if cls is RobustMahalanobis else ("network", "weights")
    inner = state[part][name]
    array = inner if isinstance(inner, np.ndarray) else inner["inward"]
    array[0] = np.nan
    with pytest.raises(StateError, match="not finite"):
        cls(tuple("abcd")).restore(state)
