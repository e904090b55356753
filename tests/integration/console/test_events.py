"""The console's incidents: listed, narrowed down, and one of them told in full."""

import json
import re

from supervisor.whereabouts import Whereabouts
from tests.servers.browser import Page, expect, go
from tests.servers.console import EVIL, api
from tests.servers.supervised import House


def test_incidents_are_listed_and_one_is_told_in_full(page: Page) -> None:
    events = go(page, "Events")
    events.get_by_label("Kind").select_option("anomaly")
    spike = events.get_by_role("listitem").filter(has_text="measurements.x").last
    expect(spike).to_contain_text(f"OK/{EVIL}")
    expect(spike.get_by_role("img")).to_have_count(1)
    assert "kind=anomaly" in page.url
    spike.get_by_role("button").click()
    panel = events.locator(".panel")
    expect(panel.get_by_role("heading", name=re.compile("^Anomaly in"))).to_contain_text(EVIL)
    image = panel.locator("figure img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.naturalWidth") > 100
    panel.get_by_role("link", name="Lineage of its message").click()
    expect(page.get_by_role("region", name="Lineage").locator("g.node")).to_have_count(2)


def test_guilty_fields_are_told_with_what_was_usual(
    page: Page, house: House, here: Whereabouts
) -> None:
    found = api(here, "/api/events?kind=anomaly")[1]["events"]
    with house.client() as client:
        entries = client.xrange("ODD")
    flagged = [json.loads(fields[1]) for _, fields in entries]
    uid = f"ODD/{entries[[each['status'] for each in flagged].index('open')][0].decode()}"
    assert {event["kind"] for event in found} == {"anomaly"}
    page.goto(f"{here.address}/#events?{'uid=' + uid}")
    row = page.locator("#events .panel").get_by_role("row").filter(has_text="measurements").first
    expect(row.get_by_role("cell").nth(3)).to_have_text(re.compile(r"^-?\d.* to -?\d"))


def test_a_drift_shows_the_sample_before_and_after(page: Page) -> None:
    events = go(page, "Events")
    events.get_by_label("Kind").select_option("drift")
    events.get_by_role("listitem").filter(has_text="measurements.y").first.click()
    panel = events.locator(".panel")
    expect(panel.get_by_role("row").filter(has_text="before")).to_be_visible()
    expect(panel.get_by_role("row").filter(has_text="after")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_contain_text("Choose an incident")


def test_filters_narrow_the_list(page: Page, here: Whereabouts) -> None:
    everything = api(here, "/api/events")[1]["events"]
    grave = api(here, "/api/events?severity=critical")[1]["events"]
    assert {event["kind"] for event in everything} == {"anomaly", "drift"}
    assert [event for event in everything if event["severity"] == "critical"] == grave
    assert all(event["open"] for event in api(here, "/api/events?open=1")[1]["events"])
    anomalies = [event for event in everything if event["kind"] == "anomaly"]
    assert 0 < len(anomalies) < len(everything)
    events = go(page, "Events")
    events.get_by_label("Kind").select_option("anomaly")
    expect(events.get_by_role("listitem")).to_have_count(len(anomalies))
    events.get_by_label("Kind").select_option("")
    events.get_by_label("Severity").select_option("critical")
    expect(events.get_by_role("listitem")).to_have_count(len(grave))
    assert api(here, "/api/events?stream=BAD")[1]["events"] == []
    assert api(here, "/api/events?severity=bad")[0] == 400
