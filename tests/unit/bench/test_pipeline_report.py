"""The page of figures says what the last run found, and the run has every figure."""

import doctest
from importlib import import_module

import pytest

from bench.pipeline.ours import CONTENDERS
from bench.pipeline.report import render
from bench.pipeline.result import EXACT, HIGHER_IS_BETTER, RESULTS, load
from bench.pipeline.table import NAMES
from tests.servers.processes import ROOT

PAGE = ROOT / "docs" / "performance-figures.md"
WITH_EXAMPLES = ("check", "findings", "latency", "payloads", "profile", "table")


def test_the_page_is_fresh() -> None:
    said = "run: python -m bench.pipeline.report > docs/performance-figures.md"
    assert PAGE.read_text(encoding="utf-8") == render(load(RESULTS)), said


def test_the_last_run_has_every_ratio_and_no_other() -> None:
    assert set(load(RESULTS).ratios) == {
        *HIGHER_IS_BETTER,
        EXACT,
        "observed_vs_silent",
        "publish_to_event_p50_s",
        "publish_to_event_p99_s",
        "publish_to_event_p999_s",
        "gate_rss_bytes",
        "detector_rss_bytes",
    }


def test_half_space_trees_were_rivers_in_the_last_run() -> None:
    assert load(RESULTS).ratios[EXACT] == 0.0


def test_every_loop_has_its_line_in_the_table() -> None:
    assert set(NAMES) == {*CONTENDERS, "faststream", "faststream_batch", "handwritten"}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_hold(name: str) -> None:
    found = doctest.testmod(import_module(f"bench.pipeline.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
