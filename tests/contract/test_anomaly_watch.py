"""What may come from outside, through the watch, for every anomaly detector there is."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from detectors.anomaly.catalog import rules_for, scorers_for
from detectors.state import pack, unpack
from detectors.values import Floats
from detectors.watch import AnomalyVerdict, AnomalyWatch
from schemas.anomaly_settings import (
    AnomalySettings,
    AutoencoderSettings,
    HalfSpaceTreesSettings,
    LimitsSettings,
    LocalOutlierFactorSettings,
    LodaSettings,
    NoveltySettings,
    QuantileSettings,
    RobustMahalanobisSettings,
)
from schemas.findings import AnomalyEvent

NAMES = ("a", "b", "c")
N = 1500
LIMITED: dict[str, tuple[float | None, float | None]] = dict.fromkeys(NAMES, (-50.0, 50.0))
EVERY: dict[str, Any] = {
    "half_space_trees": HalfSpaceTreesSettings(n_trees=5, height=6, window=100),
    "robust_mahalanobis": RobustMahalanobisSettings(window=256, stride=64, warm_up=64),
    "loda": LodaSettings(n_random_cuts=5, warm_up=64),
    "one_class_svm": {},
    "local_outlier_factor": LocalOutlierFactorSettings(n_neighbors=5, window=64),
    "autoencoder": AutoencoderSettings(hidden=2, warm_up=96),
    "robust_z": True,
    "z_score": {},
    "iqr": {},
    "limits": LimitsSettings(limits=LIMITED),
    "novelty": NoveltySettings(history=500, tail_window=500, warm_up=64),
    "standard_absolute_deviation": {},
    "gaussian_scorer": {},
    "predictive_anomaly_detection": {},
}
OTHERS = {"quantile", "history", "incidents", "max_keys"}
every = pytest.mark.parametrize("kind", EVERY)


def _watch(kind: str) -> AnomalyWatch:
    quantile = QuantileSettings(window=1000, warm_up=100)
    chosen = {"half_space_trees": None, "quantile": quantile, kind: EVERY[kind]}
    return AnomalyWatch(AnomalySettings(**chosen))


def _rows() -> Floats:
    return np.random.default_rng(4).normal(size=(N, 3)) + 10.0


def _missing(x: Floats) -> None:
    x[np.random.default_rng(5).random(x.shape) < 0.4] = np.nan
    x[700:900, 1] = np.nan
    x[800:850] = np.nan


def _constant(x: Floats) -> None:
    x[:, 1], x[:700, 2] = 5.0, 0.0


def _infinite(x: Floats) -> None:
    x[3, 0], x[700, 1], x[701], x[900:910, 2] = np.inf, np.inf, -np.inf, np.inf


def _huge(x: Floats) -> None:
    x[3, 0], x[700, 1], x[701], x[900:910, 2] = 1e308, -1e200, 1e301, 1e150


def _late(x: Floats) -> None:
    x[:400, 1], x[:900, 2] = np.nan, np.nan


SPOIL = {
    "missing": _missing,
    "constant": _constant,
    "infinite": _infinite,
    "huge": _huge,
    "late": _late,
}


def _event(verdict: AnomalyVerdict) -> AnomalyEvent:
    said = {name: value for name, value in vars(verdict).items() if name not in ("row", "guilty")}
    return AnomalyEvent(stream="L3", message="L3/1-0", at_ms=0, **said)


def test_every_detector_is_here() -> None:
    assert set(EVERY) == set(AnomalySettings.model_fields) - OTHERS
    settings = AnomalySettings(**EVERY)
    assert {*rules_for(settings), *scorers_for(settings), "robust_z"} == set(EVERY)


@every
@pytest.mark.parametrize("spoil", SPOIL)
def test_any_split_gives_the_same_verdicts_and_they_fit_the_events(kind: str, spoil: str) -> None:
    x = _rows()
    SPOIL[spoil](x)
    whole, split, found = _watch(kind), _watch(kind), []
    wanted = [(each.row, _event(each)) for each in whole.observe(NAMES, x)]
    for begin, end in pairwise([0, 1, 4, 399, 402, 700, 701, 702, 904, 1200, N]):
        part = split.observe(NAMES, x[begin:end])
        found += [(begin + each.row, _event(each)) for each in part]
        split.restore(unpack(pack(split.state())))
    assert found == wanted
    assert pack(split.state()) == pack(whole.state())


@every
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e200, -1e308])
def test_an_absurd_row_is_flagged_and_blinds_nobody_for_good(kind: str, value: float) -> None:
    x = np.random.default_rng(4).normal(size=(4000, 1)) + 10.0
    x[1200] = value
    odd = np.arange(3000, 4000, 100)
    x[odd] = 1000.0
    found = {each.row for each in _watch(kind).observe(("a",), x)}
    if kind != "one_class_svm":  # which sees one direction only
        assert 1200 in found
    if kind not in REMEMBERING:
        assert len(found & set(odd.tolist())) >= 3


REMEMBERING = {
    "one_class_svm": "its mean and deviation are those of all the past",
    "standard_absolute_deviation": "likewise",
    "gaussian_scorer": "likewise, unless it has a window",
    "predictive_anomaly_detection": "its threshold is made of all the errors of the past",
    "novelty": "one report in a while: the ten are alike, and only the first is new",
    "autoencoder": "fewer fields than hidden units",
}


@every
def test_a_constant_field_is_no_news_until_it_moves(kind: str) -> None:
    x = np.full((1000, 1), 5.0)
    assert _watch(kind).observe(("a",), x) == []


@every
def test_a_missing_field_is_neither_judged_nor_blamed(kind: str) -> None:
    x = _rows()
    x[700:, 1] = np.nan
    for each in _watch(kind).observe(NAMES, x):
        blamed = {field.field for field in each.fields} | {guilt.field for guilt in each.guilty}
        assert each.row < 700 or "b" not in blamed


RULES = ("robust_z", "z_score", "iqr", "limits", "standard_absolute_deviation", "gaussian_scorer")


@pytest.mark.parametrize("kind", RULES)
def test_rules_watch_a_new_field_as_soon_as_it_has_a_past(kind: str) -> None:
    x = _rows()
    _late(x)
    x[700, 1] = 90.0
    assert 700 in {each.row for each in _watch(kind).observe(NAMES, x)}
