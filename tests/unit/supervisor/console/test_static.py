"""The files of the page: whole, small, from nowhere else, and without ways to make markup."""

import re

import pytest

from supervisor.console.pages import STATIC, STYLE_OF_DRAWINGS

FILES = sorted(path.name for path in STATIC.iterdir())
MODULES = [name for name in FILES if name.endswith(".js")]


def text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def test_what_the_page_and_its_modules_name_is_there() -> None:
    named = set(re.findall(r'(?:href|src)="([\w.-]+)"', text("index.html")))
    for module in MODULES:
        named |= set(re.findall(r'from "\./([\w.-]+)"', text(module)))
    assert named - {STYLE_OF_DRAWINGS.strip("/")} <= set(FILES)
    assert set(FILES) - named == {"index.html"}


@pytest.mark.parametrize("name", FILES)
def test_a_file_loads_nothing_from_elsewhere(name: str) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text(name)))
    assert addresses <= {"http://www.w3.org"}
    assert "@import" not in text(name)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_small_and_makes_no_markup_of_text(name: str) -> None:
    assert len(text(name).splitlines()) <= 300
    for way in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "DOMParser"):
        assert way not in text(name)


def test_the_page_has_nothing_inline() -> None:
    page = text("index.html")
    assert not re.search(r"<style|\son\w+=|\sstyle=|javascript:", page)
    assert re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) == [""]


def test_what_a_module_offers_is_taken_by_another() -> None:
    offered, taken = set(), set()
    for module in MODULES:
        names = re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", text(module), re.M)
        offered |= {(module, name) for name in names}
        for names, source in re.findall(r'import \{ ([^}]+) \} from "\./([\w.-]+)"', text(module)):
            taken |= {(source, name) for name in names.split(", ")}
    assert taken
    assert offered == taken
