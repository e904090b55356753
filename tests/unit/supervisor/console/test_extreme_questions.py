"""Whatever stands behind the question mark of a page: an answer, or one sentence; never a 5xx."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lineage.store import open_store
from supervisor.audit import Audit
from supervisor.console.pages import Console
from supervisor.console.provenance import Provenance
from supervisor.page_routes import Get
from tests.servers.lineage_story import ANOMALIES, LAYERS, READING, story
from tests.servers.pipeline import topology_from
from tests.unit.supervisor.extremes import BEYOND, CENTURIES, EXTREMES, LONG, TREE, Empty

USUAL = {"uid": READING, "finding": ANOMALIES[0], "findings": ANOMALIES[0], "uids": READING}
OURS = {
    "/api/events": ("kind", "severity", "stream", "open"),
    "/api/event": ("uid",),
    "/api/event.svg": ("uid",),
    "/api/quarantine": ("stream",),
    "/api/quarantined": ("uid",),
    "/api/lineage/trace": ("uid", "down"),
    "/api/lineage/graph": ("uid", "down", "nodes"),
    "/api/lineage/incidents": ("since", "until", "within_s", "limit"),
}
NAMES = sorted(Provenance(None, None)._questions.names)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    with open_store(f"sqlite:{made}/lineage.db", LAYERS) as store:
        store.write(story())
    return made


@pytest.fixture
def gets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Get]:
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(folder))
    monkeypatch.delenv("PENSTOCK_NEO4J_URI", raising=False)
    topology = topology_from(TREE, folder)
    nothing: Any = Empty()
    return Console(lambda: topology, nothing, nothing, Audit(folder, None)).gets()


def takes(gets: Mapping[str, Get], path: str) -> tuple[str, ...]:
    if path in OURS:
        return OURS[path]
    told = json.loads(gets["/api/lineage"]({}).body)["questions"]
    return next(tuple(q["takes"]) for q in told if q["name"] == path.rpartition("/")[2])


@pytest.mark.parametrize("path", [*OURS, *(f"/api/lineage/{name}" for name in NAMES)])
def test_no_question_brings_a_page_down(gets: Mapping[str, Get], path: str) -> None:
    names = takes(gets, path)
    usual = {name: value for name, value in USUAL.items() if name in names}
    if "worker" in names:  # one thing to begin from
        usual = {"worker": "assess"}
    for name in names:
        for extreme in EXTREMES:
            rest = {} if name in ("uid", "producer", "schema") else usual
            answer = gets[path]({**rest, name: extreme})
            assert answer.status in (200, 400, 404), (name, extreme[:40], answer.body[:200])
            assert answer.status == 200 or json.loads(answer.body)["error"]


@pytest.mark.parametrize(
    ("path", "name", "asked", "said"),
    [
        ("/api/event", "uid", f"ODD/{BEYOND}-0", "is no uid"),
        ("/api/event", "uid", f"ODD/1-{BEYOND}", "is no uid"),
        ("/api/event.svg", "uid", "ODD/१-१", "is no uid"),
        ("/api/lineage/trace", "uid", f"IN/{BEYOND}-0", "is no uid"),
        ("/api/lineage/incidents", "since", CENTURIES, "a century (36500d) is the most"),
        ("/api/lineage/findings", "until", f"{LONG}h", "a century (36500d) is the most"),
        ("/api/lineage/findings", "limit", LONG, "has to be a number"),
        ("/api/lineage/taint", "since", CENTURIES, "a century (36500d) is the most"),
    ],
)
def test_what_cannot_be_meant_is_the_mistake_of_who_asks(
    gets: Mapping[str, Get], path: str, name: str, asked: str, said: str
) -> None:
    answer = gets[path]({name: asked})
    assert (answer.status, said in json.loads(answer.body)["error"]) == (400, True), answer.body
