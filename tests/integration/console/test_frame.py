"""The console as a whole: keys lead everywhere, on any screen, and from elsewhere by the token."""

from contextlib import closing
from pathlib import Path

import structlog

from schemas.topology_file import load_topology
from supervisor.audit import Audit
from supervisor.console.pages import STATIC, STYLE_OF_DRAWINGS, Console
from supervisor.overview import Overview, ServerView
from supervisor.page_routes import Routes
from supervisor.pages import Pages
from supervisor.whereabouts import Whereabouts
from tests.servers.browser import NARROW, Browser, BrowserContext, Page, expect, page_of, profile
from tests.servers.supervised import House


def test_keys_lead_everywhere(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    for key, view in enumerate(("Pipeline", "Events", "Quarantine", "Lineage"), 1):
        page.keyboard.press(str(key))
        expect(page.get_by_role("region", name=view)).to_be_visible()
        expect(page.get_by_role("link", name=view)).to_have_attribute("aria-current", "page")
        expect(page).to_have_title(f"{view} – Penstock")
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Message")).to_be_focused()
    page.get_by_role("combobox", name="Message").press("1")  # typed, not a way to the pipeline
    expect(page.get_by_role("region", name="Lineage")).to_be_visible()
    page.locator("#main").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("from node to node")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_small_screen_needs_no_sideways_scrolling(browser: Browser, here: Whereabouts) -> None:
    with page_of(profile(browser, viewport=NARROW, color_scheme="dark")) as page:
        for view in ("pipeline", "events", "quarantine", "lineage?uid=OUT"):
            page.goto(f"{here.address}/#{view}")
            expect(page.locator(f"#{view.split('?')[0]} .panel")).to_be_visible()
            expect(page.locator("#link")).to_have_text("●live")
            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], view


def test_from_elsewhere_reading_needs_the_token_too(
    context: BrowserContext, house: House, tmp_path: Path
) -> None:
    topology = load_topology(house.directory / "streams.yaml")
    seen = Overview(ready=True, server=ServerView(kind="configured", url="redis://away"))
    with (
        closing(Pages("0.0.0.0", 0)) as pages,
        house.client() as client,
        page_of(context, "401", "ERR_CONNECTION_REFUSED") as page,
    ):
        audit = Audit(tmp_path, structlog.get_logger())
        console = Console(lambda: topology, client, lambda: seen, audit)
        pages.serve(
            Routes(
                console.gets(), console.posts(), "secret", console.lives(),
                frozenset({STYLE_OF_DRAWINGS}), STATIC, audit,
            )
        )  # fmt: skip
        page.goto(f"http://127.0.0.1:{pages.port}/#quarantine")
        page.get_by_role("dialog").get_by_label("Token", exact=True).fill("secret")
        page.get_by_role("dialog").get_by_role("button", name="Go on").click()
        expect(page.locator("#link")).to_have_text("●live")
        expect(page.locator("#quarantine ul.rows button.row").first).to_be_visible()
        page.reload()
        expect(page.locator("#link")).to_have_text("●live")
        expect(page.get_by_role("dialog")).to_have_count(0)
        with page.expect_event("requestfailed"):  # it tries again by itself
            pages.close()
        expect(page.locator("#link")).to_have_text("○connecting …")
