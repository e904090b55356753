"""The console's picture of the pipeline: it lives, and its workers are looked at and restarted."""

import re

from streams.publish import Outgoing, Publisher
from supervisor.whereabouts import Whereabouts
from tests.servers.browser import Page, expect, give_token
from tests.servers.console import COUNT, TREE, pid_of
from tests.servers.pipeline import reading
from tests.servers.supervised import House


def test_the_topology_lives(page: Page, house: House) -> None:
    accepted = page.get_by_role("button", name=re.compile(r"^stream OK,"))
    expect(accepted).to_have_attribute("aria-label", re.compile(rf"{COUNT} entries"))
    with house.client() as client:
        Publisher(client).publish("IN", Outgoing(reading("s2", x=1.0, y=1.0)))
    expect(accepted).to_have_attribute("aria-label", re.compile(rf"{COUNT + 1} entries"))
    expect(page.locator("g.edge.read.ok")).to_have_count(len(TREE["workers"]))
    expect(page.locator(".tile", has_text="Workers ready")).to_contain_text("5 / 5")


def test_a_worker_is_opened_by_click_and_by_key(page: Page) -> None:
    panel = page.locator("#pipeline .panel")
    expect(panel).to_contain_text("2 messages rejected")
    page.get_by_role("button", name=re.compile("^worker odd,")).click()
    expect(panel.get_by_role("heading", name="Worker odd")).to_be_visible()
    expect(panel.get_by_role("table").last).to_contain_text("running")
    page.keyboard.press("Escape")
    expect(panel.get_by_role("heading", name="Attention")).to_be_visible()
    gate = page.get_by_role("button", name=re.compile("^worker gate,"))
    gate.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name=re.compile("^stream OK,"))).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(gate).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="Worker gate")).to_be_visible()
    expect(gate).to_have_attribute("aria-pressed", "true")


def test_the_workers_are_a_list_of_one_tab_stop(page: Page) -> None:
    rows = page.locator("#pipeline .workers button.row")
    expect(rows).to_have_count(5)
    assert rows.evaluate_all("rows => rows.map(row => row.tabIndex)") == [0, -1, -1, -1, -1]
    rows.first.focus()
    page.keyboard.press("End")
    expect(rows.last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Worker graph")).to_be_visible()
    expect(rows.last).to_have_attribute("aria-current", "true")


def test_a_worker_is_restarted_with_the_token(page: Page, house: House, here: Whereabouts) -> None:
    before = pid_of(here, "gate")
    page.goto(f"{here.address}/#pipeline?of=worker:gate")
    page.get_by_role("button", name="Restart …").click()
    page.get_by_role("dialog").get_by_role("button", name="Restart").click()
    give_token(page, here.token)
    expect(page.locator("#told")).to_contain_text("gate was restarted", timeout=60_000)
    assert pid_of(here, "gate") != before
    assert "restart" in (house.data / "audit.jsonl").read_text()
