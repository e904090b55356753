"""What docs/predictions.md shows is so: followed as printed, predictions and labels meet."""

import json
import re
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from ruamel.yaml import YAML

from schemas.examples import EXAMPLES
from schemas.label import Label
from schemas.label_settings import LabelSettings
from schemas.topology import Topology
from streams.entry import Entry
from streams.keys import Lane
from tests.servers.pipeline import topology_from
from workers.drift import Drift
from workers.kinds import build_handler
from workers.labels import Pair, Waiting

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "predictions.md").read_text(encoding="utf-8")
LABEL = {
    name: EXAMPLES["label"][name] for name in ("schema_version", "kind", "security", "message")
}
BASE: dict[str, Any] = {
    "version": 1,
    "dead_letters": "DEAD_LETTER",
    "lineage": "LINEAGE",
    "streams": {
        name: {"schema": f"schemas:{schema}", "sink": True}
        for name, schema in (
            ("SHRINK", "Rejection"),
            ("DEAD_LETTER", "DeadLetter"),
            ("LINEAGE", "LineageRecord"),
            ("DRIFT_EVENTS", "DriftEvent"),
        )
    },
}


def blocks(language: str) -> list[str]:
    """The blocks of the page in a language; those of a list are indented."""
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
    return [dedent(each) for each in found]


def shown(word: str) -> dict[str, Any]:
    """The only topology of the page with a word in it."""
    [found] = [YAML(typ="safe").load(each) for each in blocks("yaml") if word in each]
    return dict(found)


def loaded(part: dict[str, Any], directory: Path, **streams: Any) -> Topology:
    """What the page shows, with the streams that it takes for granted."""
    tree = {**BASE, "streams": {**BASE["streams"], **streams, **part["streams"]}}
    return topology_from({**tree, "workers": part["workers"]}, directory)


def handled(topology: Topology, worker: str, stream: str, *payloads: str) -> list[Entry]:
    """What a worker emits of messages that come on a stream."""
    entries = [Entry(stream, f"{n}-0", [b"data", p.encode()]) for n, p in enumerate(payloads, 1)]
    settled = build_handler(topology, worker, Lane()).handle(entries)
    assert [each.outcome for each in settled] == ["accepted"] * len(payloads)
    made = [output for each in settled for output in each.outputs]
    return [Entry(each.stream, f"{n}-0", each.fields) for n, each in enumerate(made, 10)]


def pairs(entries: list[Entry]) -> list[Pair]:
    waiting = Waiting(LabelSettings())
    rows = ((entry, "a model", json.loads(text(entry))) for entry in entries)
    return [pair for row, each in enumerate(rows) for pair in waiting.take(row, *each)]


def text(entry: Entry) -> str:
    return (entry.get(b"data") or b"").decode()


def test_the_topology_for_confidences_is_a_part_of_the_reference() -> None:
    part = shown("predictions:")
    reference = YAML(typ="safe").load((ROOT / "streams.yaml").read_text())
    assert part["workers"]["drift"]["watch"]["L5"] == reference["workers"]["drift"]["watch"]["L5"]


def test_both_halves_in_one_message_pass_the_gate_and_are_a_pair(tmp_path: Path) -> None:
    topology = loaded(shown("{L5_LABELS_IN: L5_LABELS}"), tmp_path)
    assert isinstance(build_handler(topology, "quality", Lane()), Drift)
    [both] = [each for each in blocks("json") if '"label"' in each]
    [made] = handled(topology, "gate", "L5_LABELS_IN", both)
    assert made.stream == "L5_LABELS"
    [pair] = pairs([made])
    assert (pair.error, pair.confidence) == (0.0, 0.93)


def test_a_label_of_ours_names_its_message_as_the_page_and_the_settings_say() -> None:
    assert "`schemas:Label` requires `message`" in PAGE
    assert Label.model_fields["message"].is_required()
    assert "as `schemas:Label` does not" in str(LabelSettings.model_fields["message"].description)


def test_predictions_that_flow_already_meet_their_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [source] = blocks("python")
    (tmp_path / "quality.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "quality", raising=False)
    l5 = {"schema": "schemas:L5PredictionSchema"}
    given = {"L5_IN": {**l5, "source": True}, "L5": l5}
    topology = loaded(shown("L5_LABELS_SEEN"), tmp_path, **given)
    forecast, pattern = (json.dumps(EXAMPLES[n]) for n in ("forecast", "recognised_pattern"))
    predicted = handled(topology, "gate", "L5_IN", forecast, pattern)
    ours = handled(topology, "join", "L5", *map(text, predicted))
    monkeypatch.delitem(sys.modules, "quality")
    [half] = ours
    assert Label.model_validate_json(text(half)).message == "L5/2-0"
    label = json.dumps({**LABEL, "message": "L5/2-0", "label": "other"})
    seen = handled(topology, "gate", "L5_LABELS_IN", label)
    assert [entry.stream for entry in seen] == ["L5_LABELS_SEEN"]
    theirs = handled(topology, "join", "L5_LABELS_SEEN", *map(text, seen))
    [pair] = pairs([*ours, *theirs])
    assert (pair.error, pair.confidence) == (1.0, 0.93)
