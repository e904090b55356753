"""The watches: names, keys, verdicts."""

import subprocess
import sys
from collections import OrderedDict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from detectors.watch import AnomalyWatch, DriftWatch, KeyedWatch
from schemas.anomaly_settings import (
    AnomalySettings,
    AutoencoderSettings,
    GaussianScorerSettings,
    HalfSpaceTreesSettings,
    IqrSettings,
    LimitsSettings,
    LocalOutlierFactorSettings,
    LodaSettings,
    NoveltySettings,
    OneClassSvmSettings,
    PredictiveAnomalyDetectionSettings,
    QuantileSettings,
    RobustMahalanobisSettings,
    RobustZSettings,
    StandardAbsoluteDeviationSettings,
    ZScoreSettings,
)
from schemas.drift_settings import DriftSettings, KsSettings, PsiSettings
from schemas.findings import AnomalyEvent, DriftEvent, Severity

HISTORY: dict[str, Any] = {"window": 64, "stride": 16, "min_values": 8}
SMALL = AnomalySettings(
    half_space_trees=HalfSpaceTreesSettings(n_trees=3, height=4, window=20),
    quantile=QuantileSettings(share=0.05, window=100, warm_up=20, stride=16),
    history=RobustZSettings(**HISTORY),
    robust_z=True,
    iqr=IqrSettings(**HISTORY),
    limits=LimitsSettings(limits={"a": (-2.5, 2.5)}),
)
ALL = SMALL.model_copy(
    update={
        "z_score": ZScoreSettings(**HISTORY),
        "novelty": NoveltySettings(history=100, tail_window=100, warm_up=32, cooldown=20),
        "standard_absolute_deviation": StandardAbsoluteDeviationSettings(warm_up=30),
        "gaussian_scorer": GaussianScorerSettings(warm_up=30),
        "predictive_anomaly_detection": PredictiveAnomalyDetectionSettings(warm_up=30),
        "robust_mahalanobis": RobustMahalanobisSettings(window=64, stride=32, warm_up=16),
        "loda": LodaSettings(n_random_cuts=3, warm_up=20),
        "one_class_svm": OneClassSvmSettings(warm_up=20),
        "local_outlier_factor": LocalOutlierFactorSettings(n_neighbors=3, window=20),
        "autoencoder": AutoencoderSettings(hidden=2, warm_up=32),
    }
)
SMALL_DRIFT = DriftSettings(
    ks=KsSettings(n_ref=40, n_cur=20, stride=10, alpha=0.01),
    psi=PsiSettings(n_ref=40, n_cur=20, stride=10, alpha=0.01, bins=4),
)
NAMES = ("a", "b", "c")
WATCHES = [
    lambda: AnomalyWatch(SMALL),
    lambda: AnomalyWatch(ALL),
    lambda: DriftWatch(SMALL_DRIFT),
]
both = pytest.mark.parametrize("make", WATCHES, ids=["anomaly", "everything", "drift"])


def _stream(seed: int, n_rows: int = 400) -> Floats:
    """Field b comes late; c comes and goes; all jump now and then."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 3)) + 4.0 * (np.arange(n_rows)[:, None] // 150 % 2)
    x[: n_rows // 5, 1] = np.nan
    x[rng.random(n_rows) < 0.4, 2] = np.nan
    x[rng.random(n_rows) < 0.02] = np.nan
    return x


def _numbered(watch: Any, x: Floats, cuts: list[int], keys: list | None = None) -> list:
    """Verdicts over the parts between ``cuts``, with columns that are shuffled and pruned."""
    found = []
    for part, (begin, end) in enumerate(pairwise([0, *sorted(cuts), len(x)])):
        order = np.random.default_rng(part).permutation(3)
        order = [i for i in order if part % 2 or not np.isnan(x[begin:end, i]).all()]
        arguments = (tuple(NAMES[i] for i in order), x[begin:end][:, order])
        if keys is not None:
            arguments = (keys[begin:end], *arguments)
        found += [(begin + each.row, each) for each in watch.observe(*arguments)]
    return [(row, repr(each).split(",", 1)[1]) for row, each in found]


@both
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), cuts=st.lists(st.integers(0, 400), max_size=10))
def test_any_split_and_any_columns_give_the_same_verdicts(
    make: Any, seed: int, cuts: list[int]
) -> None:
    whole, split = make(), make()
    x = _stream(seed)
    wanted, got = _numbered(whole, x, []), _numbered(split, x, cuts)
    assert wanted
    # A detection repeats the row it was made at, which counts within the call.
    assert [row for row, _ in got] == [row for row, _ in wanted]
    if isinstance(whole, AnomalyWatch):
        assert got == wanted
    assert pack(whole.state()) == pack(split.state())


@both
@pytest.mark.parametrize("at", [0, 10, 90, 250])
def test_a_restored_watch_goes_on_as_the_original(make: Any, at: int) -> None:
    original, restored, x = make(), make(), _stream(3)
    original.observe(NAMES, x[:at])
    restored.restore(unpack(pack(original.state())))
    assert restored.observe(NAMES, x[at:]) == original.observe(NAMES, x[at:])
    assert pack(restored.state()) == pack(original.state())


def test_a_state_of_other_settings_is_refused() -> None:
    for watch, other in (
        (AnomalyWatch(SMALL), AnomalyWatch(AnomalySettings())),
        (DriftWatch(SMALL_DRIFT), DriftWatch(DriftSettings())),
    ):
        with pytest.raises(StateError, match="settings changed"):
            other.restore(watch.state())


@both
def test_damaged_states_raise_state_errors(make: Any) -> None:
    watch = make()
    watch.observe(NAMES, _stream(3))
    for name in watch.state():
        with pytest.raises(StateError):
            make().restore({**watch.state(), name: 7})


def test_one_verdict_for_a_row_names_every_detector_that_agrees() -> None:
    x = np.random.default_rng(1).normal(size=(300, 3)) * 0.5
    x[250, 0] = 40.0
    found = [each for each in AnomalyWatch(SMALL).observe(NAMES, x) if each.row == 250]
    assert len(found) == 1
    assert found[0].severity == Severity.CRITICAL
    assert found[0].fields[0].field == "a"
    assert "a is 40" in found[0].explanation
    assert found[0].explanation.count("flagged it too") == 1


def test_a_broken_limit_is_at_least_high_from_the_first_row_on() -> None:
    options = AnomalySettings(
        half_space_trees=None,
        limits=LimitsSettings(limits={"a": (0.0, 5.0), "b": (None, 1.0)}),
    )
    found = AnomalyWatch(options).observe(("a", "b"), np.array([[9.0, 0.0], [-1.0, 0.0], [1, 1]]))
    assert [(each.row, each.severity) for each in found] == [
        (0, Severity.HIGH),
        (1, Severity.HIGH),
    ]
    assert [each.explanation for each in found] == [
        "a is 9, above its limit 5",
        "a is -1, below its limit 0",
    ]


def test_the_leading_field_is_always_among_the_fields() -> None:
    names = tuple("abcdefg")
    options = AnomalySettings(
        half_space_trees=None, limits=LimitsSettings(limits={"g": (None, 1.0)})
    )
    found = AnomalyWatch(options).observe(names, np.full((1, 7), 2.0))
    assert [field.field for field in found[0].fields] == ["a", "b", "c", "d", "g"]


@pytest.mark.parametrize(
    ("value", "clause"),
    [(2.5, "a field that has been 2 all along"), (2.0, None)],
)
def test_a_constant_field_is_told_as_such(value: float, clause: str | None) -> None:
    x = np.full((300, 1), 2.0)
    x[299] = value
    options = AnomalySettings(half_space_trees=None, robust_z=True)
    found = AnomalyWatch(options).observe(("a",), x)
    assert [clause in each.explanation for each in found] == ([True] if clause else [])


def test_verdicts_fit_the_events() -> None:
    where: dict[str, Any] = {"stream": "L3", "message": "L3/1-0", "at_ms": 0}
    found = AnomalyWatch(SMALL).observe(NAMES, _stream(1) * 1e200)
    assert found
    for each in found:
        AnomalyEvent(
            detector=each.detector,
            score=each.score,
            threshold=each.threshold,
            p_value=each.p_value,
            severity=each.severity,
            fields=each.fields,
            explanation=each.explanation,
            **where,
        )
    drifts = DriftWatch(SMALL_DRIFT).observe(NAMES, _stream(1) * 1e200)
    assert {each.detector for each in drifts} >= {"ks", "psi"}
    for drift in drifts:
        DriftEvent(
            field=drift.field,
            detector=drift.detector,
            effect=drift.detection.effect,
            baseline=drift.detection.baseline,
            current=drift.detection.current,
            severity=drift.severity,
            explanation=drift.explanation,
            **vars(drift.detection.measured),
            **where,
        )


def test_a_watch_with_nothing_to_do_says_nothing() -> None:
    watch = AnomalyWatch(AnomalySettings(half_space_trees=None))
    assert watch.observe(("a",), np.full((50, 1), 1e9)) == []
    nothing = DriftWatch(DriftSettings(conformal=None, presence=None))
    assert nothing.observe(("a",), _stream(1)[:, :1]) == []


@both
def test_rows_without_any_field_are_no_news(make: Any) -> None:
    watch = make()
    assert watch.observe((), np.zeros((5, 0))) == []
    assert watch.observe(("a",), np.full((5, 1), np.nan)) == []
    assert watch.observe(("a",), np.zeros((0, 1))) == []


class _Naive:
    """Keys one row at a time: the plain reading of what KeyedWatch promises."""

    def __init__(self, max_keys: int) -> None:
        self.watches: OrderedDict[str | None, AnomalyWatch] = OrderedDict()
        self.max_keys, self.n_evicted = max_keys, 0

    def observe(self, keys: list, x: Floats) -> list:
        found = []
        for row, key in enumerate(keys):
            if key not in self.watches:
                self.watches[key] = AnomalyWatch(SMALL)
                if len(self.watches) > self.max_keys:
                    self.watches.popitem(last=False)
                    self.n_evicted += 1
            self.watches.move_to_end(key)
            found += [(row, each) for each in self.watches[key].observe(NAMES, x[row : row + 1])]
        return [(row, repr(each).split(",", 1)[1]) for row, each in found]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 999),
    cuts=st.lists(st.integers(0, 300), max_size=8),
    max_keys=st.integers(1, 4),
    stay=st.integers(1, 80),
)
def test_keys_are_kept_apart_and_forgotten_by_row_order(
    seed: int, cuts: list[int], max_keys: int, stay: int
) -> None:
    rng = np.random.default_rng(seed)
    keys = [[None, "k1", "k2", "k3", "k4"][i] for i in np.repeat(rng.integers(0, 5, 300), stay)]
    keys, x = keys[:300], _stream(seed, 300)
    naive = _Naive(max_keys)
    keyed = KeyedWatch(lambda: AnomalyWatch(SMALL), max_keys)
    assert _numbered(keyed, x, cuts, keys) == naive.observe(keys, x)
    assert keyed.evicted == keyed.n_evicted == naive.n_evicted
    assert keyed.state()["keys"] == list(naive.watches)
    assert keyed.n_keys == len(naive.watches) <= max_keys


def test_a_restored_keyed_watch_goes_on_as_the_original() -> None:
    x, keys = _stream(2), [f"k{i % 3}" for i in range(400)]
    original = KeyedWatch(lambda: DriftWatch(SMALL_DRIFT), 3)
    restored = KeyedWatch(lambda: DriftWatch(SMALL_DRIFT), 3)
    original.observe(keys[:250], NAMES, x[:250])
    restored.restore(unpack(pack(original.state())))
    wanted = original.observe(keys[250:], NAMES, x[250:])
    assert restored.observe(keys[250:], NAMES, x[250:]) == wanted
    assert [each.row for each in wanted] == sorted(each.row for each in wanted)
    with pytest.raises(StateError, match="max_keys"):
        KeyedWatch(lambda: DriftWatch(SMALL_DRIFT), 2).restore(original.state())


def test_importing_the_watches_loads_neither_river_nor_scipy() -> None:
    code = (
        "import sys, detectors.watch, detectors.fields;"
        "sys.exit(sorted({'river', 'scipy', 'pandas'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
