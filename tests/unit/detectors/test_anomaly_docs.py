"""The page about anomaly detectors: what it shows is so, and it names every setting."""

import doctest
from pathlib import Path

import pytest
from pydantic import BaseModel

from schemas import anomaly_settings
from schemas.anomaly_settings import AnomalySettings

PAGE = Path(__file__).parents[3] / "docs" / "detectors" / "anomaly.md"
KINDS = sorted(set(AnomalySettings.model_fields) - {"quantile", "history", "max_keys"})
SETTINGS = [
    each
    for each in vars(anomaly_settings).values()
    if isinstance(each, type)
    and issubclass(each, BaseModel)
    and each.__module__.endswith("anomaly_settings")
]


def test_what_the_page_shows_is_so() -> None:
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_detector_has_a_section(kind: str) -> None:
    assert f"\n### {kind}\n" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.__name__)
def test_every_setting_is_named(settings: type[BaseModel]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    ours = set(settings.model_fields) - {"quantile", "history"}
    assert [
        name for name in sorted(ours) if f"`{name}`" not in page and f"### {name}" not in page
    ] == []
