"""The dashboards are what their generator writes, and what Grafana is told of is there."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.monitoring import DEPLOY, ROOT, loaded

GRAFANA = DEPLOY / "grafana"
BOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
SOURCES = loaded(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]


def board(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_the_dashboards_are_fresh(tmp_path: Path) -> None:
    command = [sys.executable, "deploy/grafana/generate.py", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in BOARDS}
    assert written == kept, "run: python deploy/grafana/generate.py deploy/grafana/dashboards"


def test_there_is_a_dashboard_for_each_concern() -> None:
    names = {path.stem for path in BOARDS}
    assert names == {"pipeline", "detection", "quarantine", "lineage", "sla"}
    assert len({board(path)["uid"] for path in BOARDS}) == len(BOARDS)


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_panels_ask_a_source_that_is_provisioned_and_do_not_overlap(path: Path) -> None:
    known = {source["uid"] for source in SOURCES}
    panels = board(path)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["datasource"]["uid"] in known
        assert panel["targets"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells


def test_compose_mounts_the_dashboards_where_grafana_looks_for_them() -> None:
    provider = loaded(GRAFANA / "provisioning" / "dashboards" / "penstock.yml")["providers"][0]
    mounts = loaded(ROOT / "compose.yaml")["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounts
    assert "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro" in mounts
    for source in SOURCES:
        host = source["url"].removeprefix("http://").partition(":")[0]
        assert host in loaded(ROOT / "compose.yaml")["services"]
