"""The console's lineage: traces, questions, and what cannot be answered."""

from collections.abc import Callable
from typing import Any

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


OLDER_FAILS_LAST = """async () => {
  const { Lineage } = await import("/lineage.js");
  const lineage = new Lineage(document.createElement("section"));
  const waiting = [];
  window.fetch = () => new Promise((answer, fail) => waiting.push(fail));
  const older = lineage.trace();
  const newer = lineage.trace();
  waiting[1](new Error("of the newer"));
  await newer;
  waiting[0](new Error("of the older"));
  await older;
  return lineage.board.textContent;
}"""

OLDER_ACCOUNT_FAILS_LAST = """async () => {
  const { Listing } = await import("/listing.js");
  const listing = new Listing(document.createElement("section"), "v", { one: "event" });
  const waiting = [];
  listing.told = () => new Promise((answer, fail) => waiting.push(fail));
  const shown = ["older", "newer"].map((uid) => {
    listing.asked = new URLSearchParams({ uid });
    return listing.showOne(uid);
  });
  waiting[1](new Error("of the newer"));
  await shown[1];
  waiting[0](new Error("of the older"));
  await shown[0];
  return listing.panel.textContent;
}"""


@pytest.mark.parametrize("course", [OLDER_FAILS_LAST, OLDER_ACCOUNT_FAILS_LAST])
def test_a_question_that_fails_late_wipes_nothing_that_was_asked_after_it(
    page: Page, course: str
) -> None:
    said = page.evaluate(course)
    assert "of the newer" in said
    assert "of the older" not in said


ASKED_TWICE = """async ({ module, name, ask, answers }) => {
  const view = new (await import(module))[name](document.createElement("section"));
  const waiting = [];
  const said = (it) => new Response(JSON.stringify(it), { status: it.error ? 400 : 200 });
  const later = () => new Promise((answer) => waiting.push(answer));
  window.fetch = async (path) => path.startsWith("/api/audit") ? said({ acts: [] }) : later();
  view.show = (items) => { view.root.textContent = items[0]; };
  const event = { preventDefault() {}, target: document.createElement("form") };
  const [older, newer] = [view[ask](event), view[ask](event)];
  waiting[1](said(answers[1]));
  await newer;
  waiting[0](said(answers[0]));
  await older;
  return `${view.root.textContent} ${document.body.textContent}`;
}"""

GRAPH_ASKED = {"module": "/ask.js", "name": "Asking", "ask": "submitted"}
EVENTS_ASKED = {"module": "/events.js", "name": "Events", "ask": "refresh"}
QUARANTINE_ASKED = {"module": "/quarantine.js", "name": "Quarantine", "ask": "refresh"}


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (GRAPH_ASKED, lambda word: {"rows": [{"word": word}], "cut": []}),
        (EVENTS_ASKED, lambda word: {"events": [word]}),
        (QUARANTINE_ASKED, lambda word: {"messages": [word], "size": 1}),
    ],
)
@pytest.mark.parametrize("fails", [False, True])
def test_an_answer_that_comes_late_does_not_replace_that_to_a_newer_question(
    page: Page, asked: dict[str, str], answer: Callable[[str], Any], fails: bool
) -> None:
    older = {"error": "of the older"} if fails else answer("of the older")
    said = page.evaluate(ASKED_TWICE, {**asked, "answers": [older, answer("of the newer")]})
    assert "of the newer" in said
    assert "of the older" not in said


def test_an_answer_that_comes_after_another_question_was_chosen_is_not_shown(page: Page) -> None:
    said = page.evaluate("""async () => {
      const asking = new (await import("/ask.js")).Asking();
      let answer;
      window.fetch = () => new Promise((resolve) => { answer = resolve; });
      asking.questions.set("", { about: "another one", takes: [], needs: [] });
      const form = document.createElement("form");
      const asked = asking.submitted({ preventDefault() {}, target: form });
      asking.chosen();
      answer(new Response(JSON.stringify({ rows: [{ word: "of the older" }], cut: [] })));
      await asked;
      return asking.root.textContent;
    }""")
    assert "another one" in said
    assert "of the older" not in said


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
        ("/api/lineage/incidents?since=99999999999999h", 400, "a century (36500d) is the most"),
        ("/api/event?uid=ODD/18446744073709551616-0", 400, "is no uid"),
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
