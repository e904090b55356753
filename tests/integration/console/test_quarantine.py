"""The console's quarantine: what it shows stays text, and what it does needs the token."""

import json
import re

from streams.publish import Outgoing, Publisher
from supervisor.whereabouts import Whereabouts
from tests.servers.browser import BrowserContext, Page, expect, give_token, go, page_of
from tests.servers.console import EVIL, api
from tests.servers.pipeline import reading, until
from tests.servers.supervised import House


def test_a_payload_stays_text_and_a_message_is_released_and_dropped(
    page: Page, house: House, here: Whereabouts
) -> None:
    quarantine = go(page, "Quarantine")
    rows = quarantine.locator("ul.rows button.row")
    expect(rows).to_have_count(2)
    rows.filter(has_text="json_invalid").click()
    panel = quarantine.locator(".panel")
    expect(panel.locator("pre")).to_have_text("no json")
    rows.filter(has_not_text="json_invalid").click()
    expect(panel.locator("pre")).to_contain_text(EVIL)
    panel.get_by_role("button", name="Release …", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Release").click()
    give_token(page, here.token)
    expect(page.locator("#told")).to_contain_text("Released as IN/")
    expect(quarantine.locator(".acts li").first).to_contain_text("release uid BAD/")
    with house.client() as client:
        until(lambda: client.xinfo_stream("BAD")["entries-added"] == 3)
    rows.filter(has_text="json_invalid").click()
    panel.get_by_role("button", name="Drop …").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop for good").click()
    expect(page.locator("#told")).to_contain_text("was dropped")
    expect(rows).to_have_count(1)
    done = [json.loads(line) for line in (house.data / "audit.jsonl").read_text().splitlines()]
    told = [(each["action"], each["by"], each["who"], each["status"]) for each in done[-4:][1::2]]
    assert told == [("release", "console", "token", 200), ("drop", "console", "token", 200)]
    assert EVIL not in (house.data / "audit.jsonl").read_text()


def test_a_mended_message_is_accepted(page: Page, house: House, here: Whereabouts) -> None:
    with house.client() as client:
        before, kept = client.xlen("OUT"), client.xlen("BAD")
        Publisher(client).publish("IN", Outgoing('{"kind": "sensor_reading", "n": 1.0}'))
        until(lambda: client.xlen("BAD") == kept + 1)
        quarantine = go(page, "Quarantine")
        quarantine.locator("ul.rows button.row").first.click()
        quarantine.get_by_role("button", name="Edit and release …").click()
        payload = page.get_by_role("dialog").get_by_label("Payload")
        expect(payload).to_have_value(re.compile(r'"n": 1\.0'))
        payload.fill("{")
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("no JSON")
        payload.fill(reading("mended", x=1.0).decode())
        page.get_by_role("dialog").get_by_role("button", name="Release").click()
        give_token(page, here.token)
        expect(page.locator("#told")).to_contain_text("edited payload")
        until(lambda: client.xlen("OUT") == before + 1)
    assert '"data_bytes":' in (house.data / "audit.jsonl").read_text()
    trace = until(lambda: (t := api(here, "/api/lineage/trace?uid=OUT")[1]).get("steps") and t)
    released = until(
        lambda: [s for s in trace["steps"] if s["worker"] == "release"] or None, what="a release"
    )
    assert released[0]["run"].startswith("console ")


def test_an_action_without_the_token_is_refused_and_nothing_is_done(
    context: BrowserContext, house: House, here: Whereabouts
) -> None:
    with house.client() as client:
        kept = client.xlen("BAD")
    uid = api(here, "/api/quarantine")[1]["messages"][0]["uid"]
    for action in ("release", "drop"):
        assert api(here, f"/actions/{action}", "POST", uid=uid)[0] == 401
    with page_of(context, "401") as page:
        page.goto(f"{here.address}/#quarantine?uid={uid}")
        page.get_by_role("button", name="Drop …").click()
        page.get_by_role("dialog").get_by_role("button", name="Drop for good").click()
        give_token(page, "wrong")
        expect(page.get_by_role("dialog")).to_contain_text("That was not the token")
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        expect(page.locator("#told")).to_contain_text("Without the token")
        assert page.evaluate("sessionStorage.length") == 0
    with house.client() as client:
        assert client.xlen("BAD") == kept
