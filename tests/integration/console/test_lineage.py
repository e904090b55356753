"""The console's lineage: traces, questions, and what cannot be answered."""

import pytest

from lineage.queries import Queries
from supervisor.console.provenance import VERBS
from supervisor.whereabouts import Whereabouts
from tests.servers.browser import BrowserContext, Page, expect, go, page_of
from tests.servers.console import api


def test_a_trace_is_drawn_told_in_words_and_walked_by_keys(page: Page) -> None:
    lineage = go(page, "Lineage")
    lineage.get_by_role("combobox", name="Message").fill("OUT")
    page.keyboard.press("Enter")
    nodes = lineage.locator("g.node")
    expect(nodes.first).to_be_visible()
    trail = lineage.locator(".trail li")
    assert trail.count() >= 3
    expect(trail.last).to_contain_text("made by pass")
    nodes.first.focus()
    page.keyboard.press("ArrowDown")
    expect(nodes.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(nodes.nth(1)).to_have_attribute("aria-pressed", "true")
    nodes.first.click()
    expect(lineage.locator(".panel")).to_contain_text("published by")
    lineage.locator(".panel").get_by_role("link", name="What was made from it").click()
    expect(lineage.get_by_label("Show")).to_have_value("1")
    expect(trail.first).to_contain_text("IN/")


def test_what_is_not_known_is_told_in_a_sentence(
    context: BrowserContext, here: Whereabouts
) -> None:
    with page_of(context, "404", "400") as page:
        page.goto(f"{here.address}/#lineage?uid=OUT/1-1")
        expect(page.locator("#lineage .board")).to_contain_text("no lineage record mentions")
        page.goto(f"{here.address}/#lineage?uid=nowhere")
        expect(page.locator("#lineage .board")).to_contain_text("has no stream 'nowhere'")


def test_a_question_is_asked_from_the_page(page: Page) -> None:
    lineage = go(page, "Lineage")
    lineage.get_by_text("Ask the graph").click()
    lineage.get_by_label("Question").select_option("violations_by_producer")
    lineage.get_by_label("since").fill("1h")
    lineage.get_by_role("button", name="Ask").click()
    expect(lineage.locator(".answer table")).to_contain_text("IN")


def test_every_named_question_has_an_endpoint(here: Whereabouts) -> None:
    names = Queries.load("questions/*.sql").names
    told = api(here, "/api/lineage")[1]["questions"]
    assert tuple(question["name"] for question in told) == names
    finding = api(here, "/api/events?kind=anomaly")[1]["events"][0]["uid"]
    asked = f"?uid=OUT&finding={finding}&findings={finding}&uids={finding}&limit=5"
    for question in told:
        wanted = "&".join(
            part for part in asked[1:].split("&") if part.partition("=")[0] in question["takes"]
        )
        status, answer = api(here, f"/api/lineage/{question['name']}?{wanted}")
        assert status == 200, (question["name"], answer)
        assert len(answer["rows"]) <= 5 or question["name"] == "counts"
    for verb, name in VERBS.items():
        status, answer = api(here, f"/api/lineage/{verb}?uid=OUT&finding={finding}&since=1h")
        assert (status, answer.get("query")) in [(200, name), (400, None)], answer
    assert api(here, "/api/lineage/incidents?since=1h")[1]["rows"]


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/api/lineage/taint", 400, "name what to begin from"),
        ("/api/lineage/audit_trail", 400, "needs the parameter 'uid'"),
        ("/api/lineage/audit_trail?uid=x/y", 400, "is no uid"),
        ("/api/lineage/audit_trail?uid=OUT/1-1", 404, "no lineage record mentions"),
        ("/api/lineage/findings?limit=many", 400, "has to be a number"),
        ("/api/lineage/findings?since=soon", 400, "is no time"),
        ("/api/lineage/findings?flavour=1", 400, "has no parameter 'flavour'"),
        ("/api/lineage/what", 404, "there is no page /api/lineage/what"),
        ("/api/event?uid=ODD/1-1", 404, "there is no event"),
        ("/api/event?uid=BAD/1-1", 404, "is about 'BAD/1-1'"),
        ("/api/quarantined?uid=BAD/1-1", 404, "no entry 'BAD/1-1'"),
        ("/api/quarantine?stream=OK", 400, "is no stream of what is set aside"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence_of_json(
    here: Whereabouts, path: str, status: int, sentence: str
) -> None:
    found = api(here, path)
    assert found[0] == status
    assert sentence in found[1]["error"]
