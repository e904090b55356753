"""Takes the pictures of the console for the docs: ``python -m bench.console_shots [DIRECTORY]``.

Starts the reference pipeline on data of its own, plays the demo into it, and photographs each view
in a headless Chromium, light and dark, into docs/images/console-<view>-<theme>.png.
"""

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from ruamel.yaml import YAML

from supervisor.whereabouts import Whereabouts, read
from tests.servers.browser import NARROW, browsing, page_of, profile
from tests.servers.supervised import House, up

IMAGES = Path("docs/images")
MESSAGES_A_SECOND = 1500
THEMES = ("light", "dark")

_PATIENCE_MS = 120_000.0


def main(directory: Path) -> None:
    """Write all pictures into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    tree = YAML(typ="safe").load(Path("streams.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as place:
        house = House(Path(place) / "penstock", tree)
        with up(house) as done, browsing() as browser:
            here = read(house.data)
            if here is None:
                raise SystemExit(done.stderr)
            demo = house.start("demo", "--speed", str(MESSAGES_A_SECOND))
            _shoot(browser, here, directory, "pipeline", pipeline)
            demo.communicate(timeout=_PATIENCE_MS / 1000)
            for name, view in VIEWS.items():
                _shoot(browser, here, directory, name, view)
            _shoot_small(browser, here, directory)


def _shoot(
    browser: Browser, here: Whereabouts, directory: Path, name: str, view: Callable[[Page], None]
) -> None:
    for theme in THEMES:
        with page_of(profile(browser, color_scheme=theme)) as page:
            page.goto(here.address)
            page.evaluate("token => sessionStorage.setItem('penstock-token', token)", here.token)
            view(page)
            page.screenshot(path=directory / f"console-{name}-{theme}.png")


def _shoot_small(browser: Browser, here: Whereabouts, directory: Path) -> None:
    with page_of(profile(browser, color_scheme="light", viewport=NARROW)) as page:
        page.goto(here.address)
        drift(page)
        page.screenshot(path=directory / "console-small.png")


def pipeline(page: Page) -> None:
    """The topology while messages flow, with the drift worker opened."""
    page.get_by_role("button", name=re.compile("^worker drift,")).click()
    expect(page.locator("#pipeline .panel")).to_contain_text("running")
    produced = page.locator(".tile", has_text="Produced").locator("dd")
    expect(produced).to_have_text(re.compile(r"[1-9].*/s"), timeout=_PATIENCE_MS)
    for stream in ("ANOMALY_EVENTS", "SHRINK", "L9"):
        found = page.get_by_role("button", name=re.compile(rf"^stream {stream},.*: [1-9]"))
        expect(found).to_be_visible(timeout=_PATIENCE_MS)


def events(page: Page) -> None:
    """The incidents, with the newest one that is open."""
    page.get_by_role("navigation").get_by_role("link", name="Events").click()
    rows = page.locator("#events button.row")
    rows.filter(has_text="open").first.click()
    expect(page.locator("#events figure img")).to_be_visible()
    for number in range(8):
        expect(rows.nth(number).locator("svg.spark")).to_be_visible()


def drift(page: Page) -> None:
    """The newest drift."""
    page.get_by_role("navigation").get_by_role("link", name="Events").click()
    page.get_by_label("Kind").select_option("drift")
    page.locator("#events button.row").filter(has_text="drift").first.click()
    expect(page.locator("#events figure img")).to_be_visible()


def quarantine(page: Page) -> None:
    """The quarantine, with a message opened and another one released."""
    page.get_by_role("navigation").get_by_role("link", name="Quarantine").click()
    rows = page.locator("#quarantine ul.rows button.row")
    rows.filter(has_text="extra_forbidden").first.click()
    page.get_by_role("button", name="Release …", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Release").click()
    expect(page.locator("#told")).to_contain_text("Released")
    rows.filter(has_text="too_short").first.click()
    expect(page.locator("#quarantine pre")).to_contain_text("measurements")
    page.evaluate("document.getElementById('told').replaceChildren()")


def lineage(page: Page) -> None:
    """What a decision was made from, with its alert chosen."""
    page.get_by_role("navigation").get_by_role("link", name="Lineage").click()
    page.get_by_role("combobox", name="Message").fill("L9")
    page.keyboard.press("Enter")
    nodes = page.locator("#lineage g.node")
    expect(nodes.first).to_be_visible()
    nodes.filter(has_text="L4_IN").first.click()
    page.evaluate("window.scrollTo(0, 0)")


VIEWS = {"events": events, "quarantine": quarantine, "lineage": lineage}

if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
