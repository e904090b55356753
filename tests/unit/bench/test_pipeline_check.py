"""A run is compared with the kept one by its ratios, and by nothing that depends on the machine."""

import pytest

from bench.pipeline.check import best, worse, worse_twice
from bench.pipeline.result import EXACT, HIGHER_IS_BETTER

KEPT = dict.fromkeys(HIGHER_IS_BETTER, 2.0) | {
    EXACT: 0.0,
    "publish_to_event_p99_s": 0.01,
    "gate_rss_bytes": 5e7,
}


def test_the_same_figures_are_not_worse() -> None:
    assert worse(KEPT, KEPT) == []


@pytest.mark.parametrize("name", HIGHER_IS_BETTER)
def test_a_fifth_less_passes_and_more_than_that_does_not(name: str) -> None:
    assert worse(KEPT, KEPT | {name: 1.6}) == []
    (sentence,) = worse(KEPT, KEPT | {name: 1.59})
    assert sentence.startswith(f"{name} is 1.59, which is")
    assert "below the 2 that is kept" in sentence


def test_each_ratio_that_is_worse_has_its_sentence() -> None:
    assert len(worse(KEPT, KEPT | dict.fromkeys(HIGHER_IS_BETTER, 0.1))) == len(HIGHER_IS_BETTER)


def test_better_is_never_worse() -> None:
    assert worse(KEPT, KEPT | dict.fromkeys(HIGHER_IS_BETTER, 99.0)) == []


def test_seconds_and_bytes_are_not_compared() -> None:
    assert worse(KEPT, KEPT | {"publish_to_event_p99_s": 9.0, "gate_rss_bytes": 1e12}) == []


@pytest.mark.parametrize("difference", [1e-300, -1e-300, float("nan"), 1.0])
def test_trees_that_differ_at_all_from_rivers_fail(difference: float) -> None:
    (sentence,) = worse(KEPT, KEPT | {EXACT: difference})
    assert sentence.startswith(f"{EXACT} is {difference}, not 0.0")


def test_what_was_not_measured_fails() -> None:
    found = {name: value for name, value in KEPT.items() if name not in ("gate_vs_bare", EXACT)}
    assert [s.split(" ")[0] for s in worse(KEPT, found)] == ["gate_vs_bare", EXACT]


def test_a_ratio_that_no_kept_result_has_tells_the_next_step() -> None:
    kept = {name: value for name, value in KEPT.items() if name != "hst_vs_river"}
    (sentence,) = worse(kept, KEPT)
    assert "make bench" in sentence


def test_what_disturbed_one_run_is_forgotten_when_the_next_is_well() -> None:
    disturbed = KEPT | {"gate_vs_bare": 0.5}
    assert worse(KEPT, best([disturbed, KEPT])) == []
    assert worse(KEPT, best([disturbed, disturbed]))


def test_what_seems_worse_is_measured_once_more() -> None:
    disturbed = KEPT | {"gate_vs_bare": 0.5}
    assert worse_twice(KEPT, disturbed, lambda: KEPT) == []
    assert worse_twice(KEPT, disturbed, lambda: disturbed) == worse(KEPT, disturbed)


def test_what_is_well_is_not_measured_again() -> None:
    def again() -> dict[str, float]:
        raise AssertionError("there is no need")

    assert worse_twice(KEPT, KEPT, again) == []


@pytest.mark.parametrize("difference", [0.5, -0.5, float("nan")])
def test_a_difference_between_the_trees_is_not_forgotten(difference: float) -> None:
    differing = KEPT | {EXACT: difference}
    assert worse(KEPT, best([differing, KEPT]))
    assert worse(KEPT, best([KEPT, differing]))
