"""Writes the dashboards of Grafana: what they show stands in ``panels.py``, how in here.

Run from the repository's top: ``python deploy/grafana/generate.py deploy/grafana/dashboards``.
"""

import json
import sys
from pathlib import Path
from typing import Any

from panels import BOARDS, Panel

SOURCE = {"type": "prometheus", "uid": "penstock-prometheus"}
WIDTH, HEIGHT, IN_A_ROW = 12, 8, 2


def dashboard(name: str, panels: list[Panel]) -> dict[str, Any]:
    """One dashboard, its panels two in a row."""
    return {
        "uid": f"penstock-{name}",
        "title": f"Penstock: {name}",
        "tags": ["penstock"],
        "editable": False,
        "refresh": "10s",
        "schemaVersion": 39,
        "version": 1,
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [
            {"type": "dashboards", "title": "Penstock", "tags": ["penstock"], "asDropdown": True}
        ],
        "templating": {"list": []},
        "annotations": {"list": [alerts()]},
        "panels": [drawn(place, panel) for place, panel in enumerate(panels)],
    }


def alerts() -> dict[str, Any]:
    """Marks where alerts began to fire."""
    return {
        "name": "alerts",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": 'ALERTS{alertname=~"Penstock.*",alertstate="firing"}',
        "titleFormat": "{{alertname}} {{severity}}",
    }


def drawn(place: int, panel: Panel) -> dict[str, Any]:
    """One panel at its place."""
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": {
            "x": place % IN_A_ROW * WIDTH,
            "y": place // IN_A_ROW * HEIGHT,
            "w": WIDTH,
            "h": HEIGHT,
        },
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "custom": {"drawStyle": "line", "fillOpacity": 10, "showPoints": "never"},
            },
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": SOURCE,
                "expr": expr,
                "legendFormat": legend,
            }
            for at, (expr, legend) in enumerate(panel.lines)
        ],
    }


def main(directory: Path) -> None:
    """Write every dashboard to a file of its own."""
    for name, panels in BOARDS.items():
        text = json.dumps(dashboard(name, panels), indent=1) + "\n"
        (directory / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
