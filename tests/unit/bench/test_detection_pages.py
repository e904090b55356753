"""The generated pages about detectors: they are fresh, what they show is so, none is missing."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

from bench.detection.catalog import anomaly_detectors, drift_detectors, settings_of
from bench.detection.pages import PAGES, pages
from bench.detection.pictures import IMAGES, pictures
from bench.detection.plot import Curve, render
from bench.detection.units import unit

ROOT = Path(__file__).parents[3]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
GROUPS = {"anomaly": anomaly_detectors(), "drift": drift_detectors()}
ONE_OF_EACH_STRETCH = (
    *("anomaly/novelty", "anomaly/limits", "anomaly/robust_mahalanobis", "anomaly/autoencoder"),
    *("drift/conformal", "drift/bernoulli", "drift/categories"),
)


@pytest.fixture(scope="module")
def written() -> dict[Path, str]:
    return pages()


def test_every_page_is_fresh(written: dict[Path, str]) -> None:
    stale = [
        str(path)
        for path, text in written.items()
        if not (ROOT / path).is_file()
        or (ROOT / path).read_text(encoding="utf-8") != text.rstrip("\n") + "\n"
    ]
    assert stale == [], "run: make docs"


def test_there_is_a_page_for_every_detector_and_no_other(written: dict[Path, str]) -> None:
    for group, detectors in GROUPS.items():
        there = {path.stem for path in (ROOT / PAGES / group).glob("*.md")}
        assert there == {each.kind for each in detectors}
        assert all(PAGES / group / f"{each.kind}.md" in written for each in detectors)


def test_no_line_of_prose_is_long(written: dict[Path, str]) -> None:
    long = [
        line
        for text in written.values()
        for line in text.splitlines()
        if len(line) > 120 and not line.startswith("|")
    ]
    assert long == []


@pytest.mark.parametrize("page", ONE_OF_EACH_STRETCH)
def test_what_a_page_shows_is_so_for_who_types_it(page: str) -> None:
    path = ROOT / PAGES / f"{page}.md"
    results = doctest.testfile(str(path), module_relative=False)
    assert (results.failed, results.attempted > 5) == (0, True)


def test_what_the_index_shows_is_so() -> None:
    index = ROOT / PAGES.with_suffix(".md")
    assert doctest.testfile(str(index), module_relative=False).failed == 0


def test_every_picture_is_fresh() -> None:
    """Numbers may differ in the last place between processors; half a unit cannot be seen."""
    drawn = pictures()
    assert {path.stem for path in (ROOT / IMAGES).glob("*.svg")} == set(drawn)
    stale = [
        kind
        for kind, text in drawn.items()
        if not alike(text, (ROOT / IMAGES / f"{kind}.svg").read_text(encoding="utf-8"))
    ]
    assert stale == [], "run: make docs"


def alike(one: str, other: str) -> bool:
    if NUMBER.sub("", one) != NUMBER.sub("", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(abs(float(a) - float(b)) <= 0.5 for a, b in pairs)


def test_a_picture_that_differs_is_told_from_one_that_does_not() -> None:
    assert alike("M1 2.04L3 4", "M1 2.0L3 4")
    assert not alike("M1 2.04L3 4", "M1 3.0L3 4")
    assert not alike("M1 2L3 4", "M1 2L3 4L5 6")


def test_a_parameter_without_a_unit_is_refused() -> None:
    with pytest.raises(KeyError, match="flux"):
        unit("ks", "flux", of_drift=True)


@pytest.mark.parametrize("kind", [each.kind for group in GROUPS.values() for each in group])
def test_every_parameter_says_what_it_means(kind: str) -> None:
    fields = settings_of(kind).model_fields
    assert [name for name, field in fields.items() if not field.description] == []


def test_a_peak_of_one_value_is_drawn_however_many_values_there_are() -> None:
    peak = np.zeros(100_000)
    peak[70_000] = 1.0
    text = render("a peak", [Curve("it", peak)], [], "value")
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", text)]
    assert min(heights) < 110 < max(heights)
    assert len(heights) < 20
