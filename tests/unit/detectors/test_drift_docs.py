"""The page about drift detectors: what it shows is so, and it names every detector."""

import doctest
from pathlib import Path

from detectors.drift.catalog import ALL

PAGE = Path(__file__).parents[3] / "docs" / "detectors" / "drift.md"


def test_what_the_page_shows_is_so() -> None:
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


def test_every_detector_has_a_section() -> None:
    headings = [line for line in PAGE.read_text().splitlines() if line.startswith("##")]
    assert all(any(f"`{cls.kind}`" in line for line in headings) for cls in ALL)
