"""A headless Chromium, Debian's, and pages of it that must have nothing to complain of."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

if not os.environ.get("CI"):  # there its absence is an error
    pytest.importorskip("playwright.sync_api", reason="there is no playwright; make setup-dev")

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

__all__ = [
    "NARROW", "WIDE", "Browser", "BrowserContext", "Locator", "Page", "browsing", "expect",
    "give_token", "go", "page_of", "profile",
]  # fmt: skip
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}


def chromium() -> str:
    """Where the browser is; without one a test is skipped, but in CI it fails."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("there is no chromium, and CI has to have one")
        pytest.skip("there is no chromium on this machine")
    return found


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser while the block lasts."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def profile(browser: Browser, **settings: Any) -> BrowserContext:
    """A profile without motion; its pages share a cache, and no session storage."""
    context = browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **settings})
    context.set_default_timeout(10_000)
    return context


@contextmanager
def page_of(context: BrowserContext, *allowed: str) -> Iterator[Page]:
    """A page; what its console complains of fails the test.

    ``allowed`` are parts of complaints that the test means to bring about.
    """
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    try:
        yield page
    finally:
        page.close()
    unasked = [each for each in complaints if not any(part in each for part in allowed)]
    assert not unasked, unasked


def go(page: Page, view: str) -> Locator:
    """Follow the link to a view of the console."""
    page.get_by_role("navigation").get_by_role("link", name=view).click()
    return page.get_by_role("region", name=view)


def give_token(page: Page, token: str) -> None:
    """Answer the console's question for the token."""
    page.get_by_role("dialog").get_by_label("Token", exact=True).fill(token)
    page.get_by_role("dialog").get_by_role("button", name="Go on").click()
