"""What docs/predictions.md shows is so: its topologies load, and its function makes halves."""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from schemas.examples import EXAMPLES
from schemas.l5_prediction import RecognisedPattern
from schemas.label import Label
from schemas.message import Message
from streams.keys import Lane
from tests.servers.pipeline import topology_from
from workers.drift import Drift
from workers.kinds import build_handler

PAGE = (Path(__file__).parents[3] / "docs" / "predictions.md").read_text(encoding="utf-8")
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
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_topology_for_labels_holds_together(tmp_path: Path) -> None:
    [shown] = [YAML(typ="safe").load(each) for each in blocks("yaml") if "L5_LABELS_IN" in each]
    tree = {**BASE, "streams": {**BASE["streams"], **shown["streams"]}}
    topology = topology_from({**tree, "workers": shown["workers"]}, tmp_path)
    assert isinstance(build_handler(topology, "quality", Lane()), Drift)


def test_the_topology_for_confidences_is_a_part_of_the_reference(tmp_path: Path) -> None:
    [shown] = [YAML(typ="safe").load(each) for each in blocks("yaml") if "predictions:" in each]
    reference = YAML(typ="safe").load((Path(__file__).parents[3] / "streams.yaml").read_text())
    assert shown["workers"]["drift"]["watch"]["L5"] == reference["workers"]["drift"]["watch"]["L5"]


def test_the_function_makes_halves_of_both_kinds() -> None:
    [source] = blocks("python")
    names: dict[str, Any] = {"Label": Label}
    exec(source, names)
    pattern = RecognisedPattern.model_validate(EXAMPLES["recognised_pattern"], strict=False)
    made = names["halves"](Message(event=pattern, uid="L5/1-0", stream="L5", at_ms=1))
    assert (made.message, made.prediction, made.label) == ("L5/1-0", pattern.pattern, None)
    label = Label.model_validate(EXAMPLES["label"], strict=False)
    assert names["halves"](Message(event=label, uid="X/1-0", stream="X", at_ms=1)) is label
