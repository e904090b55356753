"""A supervisor whose pipeline has had some traffic, and a browser before its console."""

from collections.abc import Iterator

import pytest

from supervisor.whereabouts import Whereabouts
from tests.servers.browser import Browser, BrowserContext, Page, browsing, expect, page_of, profile
from tests.servers.console import TREE, publish, whereabouts
from tests.servers.supervised import House, up


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), TREE)
    with up(made) as done:
        assert done.returncode == 0, done.stderr
        publish(made)
        yield made


@pytest.fixture
def here(house: House) -> Whereabouts:
    return whereabouts(house)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="package")
def context(browser: Browser) -> BrowserContext:
    return profile(browser)


@pytest.fixture
def page(context: BrowserContext, here: Whereabouts) -> Iterator[Page]:
    with page_of(context) as found:
        found.goto(here.address)
        expect(found.locator("#link")).to_have_text("●live")
        yield found
        assert found.evaluate("window.hacked") is None
        assert found.locator("img[src=x]").count() == 0
