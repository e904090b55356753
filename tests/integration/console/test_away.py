"""The console without what it needs: a supervisor that is gone, a token that cannot be sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from schemas.topology_file import load_topology
from supervisor.audit import Audit
from supervisor.console.pages import STATIC, Console
from supervisor.overview import Overview, ServerView
from supervisor.page_routes import Routes
from supervisor.pages import Pages
from tests.servers.browser import Browser, Page, expect, give_token, page_of, profile
from tests.servers.console import TREE
from tests.servers.supervised import House

UNSENDABLE = "żółć"
SEEN = Overview(ready=True, server=ServerView(kind="configured", url="redis://away"))
FLOWING = """
() => [...document.querySelectorAll("g.edge.read")].map((edge) => {
  edge.setAttribute("class", "edge read ok fast");
  const { visibility, animationName } = getComputedStyle(edge.querySelector(".dots"));
  return `${visibility} ${animationName}`;
})
"""
CROSSED = """
() => {
  const lines = document.querySelectorAll(".graph path, .graph rect");
  const words = [...document.querySelectorAll(".graph text.on")];
  const below = (each, line) =>
    each.compareDocumentPosition(line) & Node.DOCUMENT_POSITION_PRECEDING;
  return words.map((each) => [...lines].filter((line) => !below(each, line)).length);
}
"""


@contextmanager
def served(house: House, directory: Path, port: int) -> Iterator[Pages]:
    """The console in this process, so that it can go and come again."""
    topology = load_topology(house.directory / "streams.yaml")
    pages = Pages("127.0.0.1", port)
    with house.client() as client:
        audit = Audit(directory, structlog.get_logger())
        console = Console(lambda: topology, client, lambda: SEEN, audit)
        pages.serve(
            Routes(
                console.gets(), console.posts(), "secret", console.lives(),
                static=STATIC, watch=audit,
            )
        )  # fmt: skip
        try:
            yield pages
        finally:
            pages.close()


def test_figures_of_a_supervisor_that_is_gone_say_how_old_they_are_and_move_no_more(
    browser: Browser, house: House, tmp_path: Path
) -> None:
    context = profile(browser, reduced_motion="no-preference")
    with page_of(context, "ERR_") as page:
        page.clock.install()
        with served(house, tmp_path, 0) as pages:
            page.goto(f"http://127.0.0.1:{pages.port}/")
            expect(page.locator("#link")).to_have_text("●live")
            expect(page.locator("g.edge.read")).to_have_count(len(TREE["workers"]))
            assert set(page.evaluate(FLOWING)) == {"visible flow"}
        expect(page.locator("#link")).to_have_text("○connecting …")
        assert set(page.evaluate(FLOWING)) == {"hidden none"}
        expect(page.locator("#ready")).to_be_hidden()
        expect(page.locator("#old")).to_be_hidden()  # it may be back in a moment
        page.clock.fast_forward(6_000)
        expect(page.locator("#old")).to_contain_text("does not answer")
        expect(page.locator("#old time")).to_have_count(1)
        with served(house, tmp_path, pages.port):
            expect(page.locator("#link")).to_have_text("●live")
            expect(page.locator("#old")).to_be_hidden()
            expect(page.locator("#ready")).to_have_text("●ready")


def test_no_line_of_the_drawing_is_drawn_over_a_word(page: Page) -> None:
    crossed = page.evaluate(CROSSED)
    assert len(crossed) > 1
    assert set(crossed) == {0}


def restart_gate(page: Page) -> None:
    page.get_by_role("button", name="worker gate,").click()
    page.get_by_role("button", name="Restart …").click()
    page.get_by_role("dialog").get_by_role("button", name="Restart").click()


def test_a_token_that_cannot_be_sent_is_refused_in_words_and_never_kept(page: Page) -> None:
    restart_gate(page)
    give_token(page, UNSENDABLE)
    expect(page.get_by_role("dialog")).to_contain_text("This cannot be the token")
    assert page.evaluate("sessionStorage.length") == 0
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.locator("#told")).to_contain_text("Without the token")


def test_a_token_that_was_kept_and_cannot_be_sent_is_asked_for_anew(page: Page) -> None:
    page.evaluate("token => sessionStorage.setItem('penstock-token', token)", UNSENDABLE)
    page.reload()
    expect(page.locator("#link")).to_have_text("●live")
    restart_gate(page)
    expect(page.get_by_role("dialog").get_by_label("Token", exact=True)).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
