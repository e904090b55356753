"""What the code has, the docs name: stream fields, settings, metrics, verbs; and no dead links."""

import re
from pathlib import Path

import pytest

from lineage.settings import LineageSettings
from schemas.asyncapi import ENTRY_HEADERS
from streams.entry import PACKED
from streams.quarantine import ONLY_FOR
from streams.settings import ServerSettings
from supervisor.cli_page import render as cli_page

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def said(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def source() -> str:
    packages = ("schemas", "streams", "detectors", "lineage", "workers", "supervisor")
    return "\n".join(
        path.read_text(encoding="utf-8")
        for package in packages
        for path in (ROOT / package).rglob("*.py")
    )


def test_every_metric_in_the_code_stands_in_the_docs_and_no_other() -> None:
    in_code = set(re.findall(r'"(penstock_[a-z_]+)"', source()))
    documented = set(re.findall(r"^\| `(penstock_[a-z_]+)`", said("metrics.md"), re.MULTILINE))
    assert {name.removesuffix("_total") for name in documented} == in_code


def test_every_setting_in_the_code_stands_in_the_docs_and_no_other() -> None:
    named = {
        f"PENSTOCK_{field.upper()}"
        for settings in (ServerSettings, LineageSettings)
        for field in settings.model_fields
    } | set(re.findall(r'envvar="(PENSTOCK_\w+)"', source()))
    assert set(re.findall(r"^\| `(PENSTOCK_\w+)`", said("settings.md"), re.MULTILINE)) == named


def test_every_field_of_an_entry_stands_in_the_docs() -> None:
    page = said("stream-entries.md")
    headers = ENTRY_HEADERS["properties"]
    for name in [*headers, PACKED.decode(), ONLY_FOR.decode(), "ids"]:
        assert f"`{name}`" in page, name


def test_the_page_of_the_command_line_is_fresh() -> None:
    assert said("cli.md") == cli_page(), "run: python -m supervisor.cli_page > docs/cli.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("name", [p.name for p in sorted((DOCS / "decisions").glob("0*.md"))])
def test_every_decision_is_listed(name: str) -> None:
    assert f"({name})" in said("decisions/README.md")
