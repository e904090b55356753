"""The page of ``streams.yaml`` is what its generator writes."""

from pathlib import Path

from schemas.topology_page import render

PAGE = Path(__file__).parents[3] / "docs" / "topology.md"


def test_the_page_is_fresh() -> None:
    said = "run: python -m schemas.topology_page > docs/topology.md"
    assert PAGE.read_text(encoding="utf-8") == render(), said
