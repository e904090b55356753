"""The pipeline's budget is split without a remainder and without an overdraft."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.drift.catalog import ALL, detectors_for
from schemas.budget_settings import BudgetSettings
from schemas.drift_settings import DriftSettings
from schemas.topology import Topology
from schemas.topology_budget import Coverage, coverage, p_value_alpha_of, share_of, shares
from schemas.topology_file import TopologyError, load_topology
from tests.servers.pipeline import SMALL

REFERENCE = Path(__file__).parents[3] / "streams.yaml"


def pipeline(
    workers: dict[str, dict[str, Any]], budget: dict[str, Any] | None = None, lanes: int = 1
) -> Topology:
    """A topology with these drift workers; streams are invented as they are named."""
    watched = {name for worker in workers.values() for name in worker["watch"]}
    reading, finding = {"schema": "schemas:L3EventSchema"}, {"schema": "schemas:DriftEvent"}
    tree = SMALL | {
        "lanes": lanes,
        "budget": budget,
        "streams": SMALL["streams"] | dict.fromkeys(watched, reading) | {"FOUND": finding},
        "workers": {
            name: {"kind": "drift", "writes": "FOUND"} | worker for name, worker in workers.items()
        },
    }
    return Topology.model_validate(tree)


BUDGET = {"false_alarms": 2, "per": 1000}
CLASSIC = {"profile": "classic"}


def test_the_reference_pipeline_may_raise_one_false_alarm_in_a_month() -> None:
    topology = load_topology(REFERENCE)
    assert topology.budget == BudgetSettings(false_alarms=1, per=30 * 86_400)
    assert sum(share.allowed for share in shares(topology)) == pytest.approx(0.9)
    assert sum(share.tests for share in shares(topology)) == pytest.approx(0.1)


watches = st.dictionaries(
    st.sampled_from(["A", "B", "C"]),
    st.sampled_from([{}, {"key": "id"}]),
    min_size=1,
)
detectors = st.sampled_from(
    [{}, CLASSIC, {"ks": {}}, {"max_keys": 7}, {"codes": ["c"]}, {"adwin": {}, "conformal": None}]
)
drift_workers = st.dictionaries(
    st.sampled_from(["one", "two", "three"]),
    st.fixed_dictionaries({"watch": watches, "detectors": detectors}),
    min_size=1,
)


@given(drift_workers, st.integers(1, 64), st.floats(0.01, 1000.0))
def test_nothing_is_spent_twice_and_nothing_is_left_over(
    workers: dict[str, Any], lanes: int, false_alarms: float
) -> None:
    budget = {"false_alarms": false_alarms, "per": "1h"}
    topology = pipeline(workers, budget, lanes)
    sequential = sum(share.watches * share.rate_per_s for share in shares(topology)) * 3600.0
    assert sequential == pytest.approx(sum(share.allowed for share in shares(topology)))
    alphas = [
        (p_value_alpha_of(topology, share.worker, share.stream) or 0.0, share.watches)
        for share in shares(topology)
    ]
    whole = sequential + sum(alpha * watches for alpha, watches in alphas)
    assert whole <= false_alarms * (1 + 1e-9)
    covered = {
        c for w in workers.values() for c in coverage(DriftSettings(**w["detectors"])).values()
    }
    if covered - {Coverage.NONE} and max(alphas)[0] < 0.5:
        assert whole == pytest.approx(false_alarms)


def test_streams_share_equally_and_a_stream_shares_with_its_lanes_and_keys() -> None:
    topology = pipeline(
        {"drift": {"watch": {"A": {"key": "id"}, "B": {}}, "detectors": {"max_keys": 10}}},
        BUDGET,
        lanes=4,
    )
    by_stream = {share.stream: share for share in shares(topology)}
    alpha = p_value_alpha_of(topology, "drift", "A")
    assert alpha == pytest.approx(0.1 * 2 / 2 / 40)
    assert (by_stream["A"].watches, by_stream["B"].watches) == (40, 4)
    assert by_stream["A"].allowed == by_stream["B"].allowed == pytest.approx(0.9)
    assert share_of(topology, "drift", "A") == pytest.approx(0.9 * 0.002 / 2 / 40)
    assert share_of(topology, "drift", "B") == pytest.approx(0.9 * 0.002 / 2 / 4)


def test_tests_with_p_values_get_a_tenth_where_there_are_any() -> None:
    watch = {"watch": {"A": {}}}
    topology = pipeline({"drift": watch | {"detectors": {"ks": {}}}}, BUDGET)
    assert share_of(topology, "drift", "A") == pytest.approx(0.9 * 0.002)
    assert p_value_alpha_of(topology, "drift", "A") == pytest.approx(0.2)
    alone = pipeline({"drift": watch | {"detectors": CLASSIC}}, {"false_alarms": 0.3, "per": "1d"})
    assert [(share.allowed, share.tests) for share in shares(alone)] == [(0.0, 0.3)]
    assert share_of(alone, "drift", "A") is None
    assert p_value_alpha_of(alone, "drift", "A") == pytest.approx(0.3)


def test_without_a_budget_nobody_has_a_share() -> None:
    topology = pipeline({"drift": {"watch": {"A": {}}, "detectors": {"ks": {}}}})
    assert shares(topology) == []
    assert share_of(topology, "drift", "A") is None
    assert p_value_alpha_of(topology, "drift", "A") is None


def test_a_budget_of_nothing_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "streams.yaml"
    file.write_text(REFERENCE.read_text().replace("{false_alarms: 1,", "{false_alarms: 0,"))
    with pytest.raises(TopologyError, match=r"'budget.false_alarms': .*greater than 0.*yaml:\d+"):
        load_topology(file)
    file.write_text(REFERENCE.read_text().replace("{false_alarms: 1,", "{false_alarm: 1,"))
    with pytest.raises(TopologyError, match="did you mean 'false_alarms'"):
        load_topology(file)


def test_what_bounds_each_detector_is_said() -> None:
    assert coverage(DriftSettings()) == {
        "conformal": Coverage.SEQUENTIAL,
        "presence": Coverage.SEQUENTIAL,
        "categories": Coverage.P_VALUES,
    }
    assert "categories" not in coverage(DriftSettings(texts=False))
    assert coverage(DriftSettings(kswin={}))["kswin"] is Coverage.NONE
    classic = coverage(DriftSettings(profile="classic", errors=("e",), codes=("c",)))
    assert {kind for kind, covered in classic.items() if covered is Coverage.P_VALUES} == {
        "ks",
        "categories",
    }
    assert {kind for kind, covered in classic.items() if covered is Coverage.NONE} == {
        *("psi", "jensen_shannon", "drift_score", "accuracy_drop"),
    }


@pytest.mark.parametrize("kind", [cls.kind for cls in ALL])
def test_every_detector_that_runs_is_known_to_the_budget(kind: str) -> None:
    off = dict.fromkeys(("conformal", "bernoulli", "categories", "presence"))
    settings = DriftSettings(**(off | {kind: {}}), errors=("e",), codes=("c",))
    meanings = ("values", "errors", "codes")
    runs = {name for meaning in meanings for name in detectors_for(settings, meaning)}
    assert set(coverage(settings)) == runs == {kind}


def test_every_share_is_a_rate_above_zero() -> None:
    topology = pipeline(
        {"drift": {"watch": {"A": {"key": "id"}}, "detectors": {"max_keys": 10**9}}},
        {"false_alarms": 0.001, "per": 3_000_000_000},
        lanes=1024,
    )
    rate = share_of(topology, "drift", "A")
    assert rate is not None
    assert 0.0 < rate < math.inf
