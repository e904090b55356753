"""The console in a real browser, before a real supervisor whose pipeline has had some traffic."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from lineage.queries import Queries
from schemas.topology_file import load_topology
from streams.publish import Outgoing, Publisher
from supervisor.audit import Audit
from supervisor.console.pages import STATIC, STYLE_OF_DRAWINGS, Console
from supervisor.console.provenance import VERBS
from supervisor.overview import Overview, ServerView
from supervisor.page_routes import Routes
from supervisor.pages import Pages
from supervisor.whereabouts import Whereabouts
from tests.servers.browser import (
    NARROW,
    Browser,
    BrowserContext,
    Locator,
    Page,
    browsing,
    expect,
    page_of,
    profile,
)
from tests.servers.console import COUNT, EVIL, TREE, api, pid_of, publish, whereabouts
from tests.servers.pipeline import reading, until
from tests.servers.supervised import House, up


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), TREE)
    with up(made) as done:
        assert done.returncode == 0, done.stderr
        publish(made)
        yield made


@pytest.fixture
def here(house: House) -> Whereabouts:
    return whereabouts(house)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
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


def go(page: Page, view: str) -> Locator:
    page.get_by_role("navigation").get_by_role("link", name=view).click()
    return page.get_by_role("region", name=view)


def give_token(page: Page, here: Whereabouts, token: str | None = None) -> None:
    page.get_by_role("dialog").get_by_label("Token", exact=True).fill(token or here.token)
    page.get_by_role("dialog").get_by_role("button", name="Go on").click()


# --- the pipeline ------------------------------------------------------------------------------


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
    give_token(page, here)
    expect(page.locator("#told")).to_contain_text("gate was restarted", timeout=60_000)
    assert pid_of(here, "gate") != before
    assert "restart" in (house.data / "audit.jsonl").read_text()


# --- events ------------------------------------------------------------------------------------


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


# --- the quarantine ----------------------------------------------------------------------------


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
    give_token(page, here)
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
        give_token(page, here)
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
        give_token(page, here, "wrong")
        expect(page.get_by_role("dialog")).to_contain_text("That was not the token")
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        expect(page.locator("#told")).to_contain_text("Without the token")
        assert page.evaluate("sessionStorage.length") == 0
    with house.client() as client:
        assert client.xlen("BAD") == kept


# --- lineage -----------------------------------------------------------------------------------


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


# --- the frame ---------------------------------------------------------------------------------


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
