"""Which workers may have their messages stored as batches."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from schemas.topology_file import TopologyError, load_topology
from workers.provenance import grain_of

ROOT = Path(__file__).parents[3]


def _load(path: Path, workers: dict[str, dict[str, Any]]) -> Any:
    """The reference topology with further settings of some workers."""
    with (ROOT / "streams.yaml").open() as file:
        tree = YAML().load(file)
    for name, more in workers.items():
        tree["workers"][name].update(more)
    with path.open("w") as file:
        YAML().dump(tree, file)
    return load_topology(path)


def test_a_worker_says_in_its_records_how_its_messages_are_stored(tmp_path: Path) -> None:
    topology = _load(tmp_path / "streams.yaml", {"assess": {"lineage": "batch"}})
    assert grain_of(topology.workers["assess"]) == {"grain": "batch", "sample": 1000}
    assert grain_of(topology.workers["gate"]) == {}


@pytest.mark.parametrize(
    ("worker", "streams"),
    [("gate", "'L7', 'L8', 'L9'"), ("hunt", "'L8_IN'"), ("decide", "'L9_IN'")],
)
def test_from_layer_7_on_batches_are_refused_with_the_line(
    tmp_path: Path, worker: str, streams: str
) -> None:
    path = tmp_path / "streams.yaml"
    with pytest.raises(TopologyError) as caught:
        _load(path, {worker: {"lineage": "batch"}})
    (problem,) = caught.value.problems
    assert (
        f"worker '{worker}' has 'lineage: batch', but writes {streams}: from layer 7 on" in problem
    )
    line = path.read_text().splitlines().index("    lineage: batch") + 1
    assert problem.endswith(f"({path}:{line})")


def test_another_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="'message' or 'batch'"):
        _load(tmp_path / "streams.yaml", {"assess": {"lineage": "off"}})
