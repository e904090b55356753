"""Every fault in a topology file is told with its line, what is wrong, and the likely fix."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from schemas.author_function import AuthorFunctionError, load_function
from schemas.registry import SchemaError, resolve
from schemas.topology_file import TopologyError, load_topology
from schemas.topology_graph import edges, exclusive, readers, reads
from schemas.topology_picture import as_mermaid, as_text
from schemas.topology_workers import GateSettings
from supervisor.authors import function_problems

ROOT = Path(__file__).parents[3]

GOOD = """\
version: 1
dead_letters: DEAD
lineage: LINEAGE
streams:
  A_IN: {schema: "schemas:L3EventSchema", source: true}
  A: {schema: "schemas:L3EventSchema"}
  B: {schema: "schemas:L4IntelSchema", sink: true}
  BAD: {schema: "schemas:Rejection", sink: true}
  DEAD: {schema: "schemas:DeadLetter", sink: true}
  LINEAGE: {schema: "schemas:LineageRecord"}
workers:
  gate:
    kind: gate
    routes: {A_IN: A}
    rejects_to: BAD
  think:
    kind: transform
    call: reference.assess:assess
    reads: [A]
    writes: [B]
  lineage:
    kind: lineage
"""


def load(text: str, directory: Path) -> None:
    path = directory / "streams.yaml"
    path.write_text(text)
    load_topology(path)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("schemas:L4IntelSchema", "schemas:L4IntelSchem", 7, "did you mean 'L4IntelSchema'?"),
        ("schemas:L4IntelSchema", "nowhere:Thing", 7, "'nowhere'"),
        ("writes: [B]", "writes: [BB]", 20, "did you mean 'B'?"),
        ("reads: [A]", "reads: [AA]", 19, "names stream 'AA', which is not under 'streams'"),
        ("routes: {A_IN: A}", "routes: {A_IN: B}", 14, "both need the same schema"),
        ('L4IntelSchema", sink: true}', 'L4IntelSchema"}', 7, "is read by nobody"),
        ('L3EventSchema", source: true}', 'L3EventSchema"}', 5, "is written by nobody"),
        ("    writes: [B]", "    writes: [A]", 16, "would go round in a circle"),
        ("reads: [A]", "reads: [A, LINEAGE]", 16, "would go round in a circle"),
        ("reads: [A]", "reads: [A, DEAD]", 16, "would go round in a circle"),
        ("version: 1", "delivery: {block: 12s}\nversion: 1", 1, "less than or equal to 5"),
        ("version: 1", "delivery: {lease: 1ms}\nversion: 1", 1, "greater than or equal to 0.3"),
        ("    rejects_to: BAD", "    reject_to: BAD", 15, "did you mean 'rejects_to'?"),
        ("    kind: lineage", "    kind: linage", 22, "did you mean 'lineage'?"),
        ("    kind: lineage", "    replicas: 1", 21, "the key 'kind' is missing"),
        ("version: 1", "version: 2", 1, "'version'"),
        ("lineage: LINEAGE", "lanes: 0\nlineage: LINEAGE", 3, "'lanes'"),
        ("    kind: lineage", "    kind: lineage\n    replicas: 2", 23, "owns a lane alone"),
        ("reads: [A]", "reads: [A, B]\n    memory: true", 19, "has memory, so it can read one"),
        ("lineage: LINEAGE", "supervisor: S\nlineage: LINEAGE", 3, "'supervisor' names stream 'S'"),
        ("    kind: gate", "    kind: gate\n    replicas: many", 14, "a number from 0 to 256"),
        ("    kind: gate", "    kind: gate\n    replicas: 257", 14, "a number from 0 to 256"),
        ("    kind: gate", "    kind: gate\n    replicas: {min: 3}", 14, "is above 'max'"),
        ("    kind: gate", "    kind: gate\n    replicas: {maxi: 3}", 14, "did you mean 'max'?"),
        ("    kind: gate", "    kind: gate\n    max_memory: 3 elephants", 14, "is no size; write"),
        ("    kind: gate", "    kind: gate\n    max_memory: 1", 14, "or equal to 64000000"),
        ("    kind: gate", "    kind: gate\n    stalled_after: 1ms", 14, "or equal to 1"),
        (
            "    kind: lineage",
            "    kind: lineage\n    retention: {layers: {3: never}}",
            23,
            "'workers.lineage.retention.layers.3': value error, 'never' is no span of time; write "
            "a number and ms, s, m, h or d: '24h'; or 'ever' (",
        ),
        (
            "    kind: lineage",
            "    kind: lineage\n    retention: {layers: {3: 0}}",
            23,
            "layers.3': value error, input should be greater than 0; or 'ever' (",
        ),
        ("  lineage:\n    kind: lineage", "  gate:\n    kind: lineage", 21, "'gate' is used twice"),
        ("  think:", "  Think:", 16, "workers.Think"),
        ("rejects_to: BAD", "rejects_to: [", 17, "this is no YAML"),
        ("version: 1", "delivery: {lease: soon}\nversion: 1", 1, "'soon' is no span of time"),
        ("schemas:L4IntelSchema", "schemas.L4IntelSchema", 7, "mean 'schemas:L4IntelSchema'?"),
        ("schemas:L4IntelSchema", "L4IntelSchema", 7, "not written as 'package.module:name'"),
        ("call: reference.assess:", "call: reference.assess.", 18, "'reference.assess:assess'?"),
        ("writes: [B]", "writes: [b b]", 20, "'b b' cannot be used: a stream's name has only"),
        ("  think:", "  Think:", 16, "'workers.Think': 'Think' cannot be used: this name has only"),
        ("sink: true}", "sink: true, retention: 1d}", 7, "1d is no map; did you mean {age: 1d}?"),
        ("sink: true}", "sink: true, retention: 9}", 7, "did you mean {entries: 9}? its keys are"),
        ("sink: true}", "sink: true, retention: true}", 7, "True is no map; its keys are age, en"),
        ("version: 1", "delivery: 10s\nversion: 1", 1, "10s is no map; its keys are lease, block"),
        ("schemas:DeadLetter", "schemas:Rejection", 9, "has to be 'schemas:DeadLetter', not 'sch"),
        ("schemas:Rejection", "schemas:L3EventSchema", 8, "has to be 'schemas:Rejection', not"),
        ("schemas:LineageRecord", "schemas:Label", 10, "has to be 'schemas:LineageRecord', not"),
        ("lineage: LINEAGE", "supervisor: B\nlineage: LINEAGE", 8, "be 'schemas:SupervisorEvent'"),
        ("rejects_to: BAD", "rejects_to: DEAD", 9, "a union of schemas:DeadLetter | schemas:Rej"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_line_and_fix(
    old: str, new: str, line: int, said: str, tmp_path: Path
) -> None:
    assert old in GOOD
    with pytest.raises(TopologyError) as caught:
        load(GOOD.replace(old, new), tmp_path)
    told = str(caught.value)
    assert said in told
    assert f"streams.yaml:{line})" in told


def test_what_only_follows_from_another_fault_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(TopologyError) as caught:
        load(GOOD.replace("writes: [B]", "writes: [b b]"), tmp_path)
    assert len(caught.value.problems) == 1
    with pytest.raises(TopologyError, match="at least 1 item"):
        load(GOOD.replace("writes: [B]", "writes: []"), tmp_path)


def test_replicas_are_a_number_or_a_range_and_read_back_as_they_were_written() -> None:
    for written in (2, 0, {"min": 1, "max": 4, "lag": 1000, "calm": 300.0}):
        gate = GateSettings.model_validate(
            {"kind": "gate", "routes": {"A": "B"}, "rejects_to": "C", "replicas": written}
        )
        assert gate.model_dump(mode="json")["replicas"] == written
        assert GateSettings.model_validate_json(gate.model_dump_json()) == gate
    assert (gate.replicas.fixed, gate.replicas.within(9)) == (False, 4)


def test_without_a_patience_of_its_own_a_worker_has_its_deadline_and_half_a_minute() -> None:
    gate = {"kind": "gate", "routes": {"A": "B"}, "rejects_to": "C", "deadline": "5m"}
    assert GateSettings.model_validate(gate).stalled_after_s == 330.0
    assert GateSettings.model_validate({**gate, "stalled_after": "10s"}).stalled_after_s == 10.0


def test_the_plain_file_holds(tmp_path: Path) -> None:
    load(GOOD, tmp_path)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    faulty = GOOD.replace("schemas:L4IntelSchema", "schemas:No").replace(
        "writes: [B]", "writes: [C]"
    )
    with pytest.raises(TopologyError) as caught:
        load(faulty, tmp_path)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text"])
def test_a_file_that_is_no_map_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="must be a map"):
        load(text, tmp_path)


def test_a_missing_or_unreadable_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="there is no topology file"):
        load_topology(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(TopologyError, match="cannot be read"):
        load_topology(tmp_path / "bytes.yaml")


def test_the_reference_topology_holds_and_is_a_way_from_l3_to_l9() -> None:
    topology = load_topology(ROOT / "streams.yaml")
    ways: dict[str, set[str]] = {}
    for edge in edges(topology):
        ways.setdefault(edge.reads, set()).add(edge.writes)
    reached, todo = set(), ["L3_IN"]
    while todo:
        stream = todo.pop()
        reached.add(stream)
        todo += [other for other in ways.get(stream, ()) if other not in reached]
    assert {"L3", "L4", "L8", "L9", "ANOMALY_EVENTS", "DRIFT_EVENTS", "SHRINK"} <= reached
    assert readers(topology, "L3") == ("anomaly", "drift", "assess")
    assert reads(topology, "lineage") == ("LINEAGE",)
    assert [name for name, w in topology.workers.items() if not exclusive(w)] == [
        "gate",
        "hunt",
        "decide",
    ]
    assert len(topology.workers) <= 10


def test_the_pictures_show_every_stream_and_worker() -> None:
    topology = load_topology(ROOT / "streams.yaml")
    text, mermaid = as_text(topology), as_mermaid(topology)
    for name in topology.streams:
        assert name in text
        assert f'[("{name}")]' in mermaid
    for name in topology.workers:
        assert f"-> {name}" in text
        assert f'["{name}"]' in mermaid
    width = max(map(len, topology.streams))
    assert f"{'L3_IN':<{width}} -> gate -> L3, SHRINK" in text


def test_a_module_that_cannot_be_imported_is_told_once_with_the_line_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unclosed.py").write_text("a = 1\nb = (\n")
    monkeypatch.syspath_prepend(tmp_path)
    text = GOOD.replace("reference.assess:assess", "unclosed:think")
    for schema in ("L3EventSchema", "L4IntelSchema"):
        text = text.replace(f"schemas:{schema}", f"unclosed:{schema}")
    (tmp_path / "streams.yaml").write_text(text)
    with pytest.raises(TopologyError) as caught:
        load_topology(tmp_path / "streams.yaml", also=function_problems)
    (told,) = caught.value.problems
    assert "stream 'A_IN': schema 'unclosed:L3EventSchema': module 'unclosed'" in told
    assert "SyntaxError: '(' was never closed" in told
    assert f"{tmp_path / 'unclosed.py'}:2)" in told
    assert "is it installed" not in told
    (tmp_path / "streams.yaml").write_text(
        GOOD.replace("reference.assess:assess", "unclosed:think")
    )
    with pytest.raises(TopologyError, match="worker 'think': unclosed:think cannot be imported"):
        load_topology(tmp_path / "streams.yaml", also=function_problems)


def test_an_error_in_an_authors_module_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "divides.py").write_text("def by(x):\n    return 1 / x\n\n\nby(0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        SchemaError, match=r"ZeroDivisionError: division by zero, .*divides\.py:5\)$"
    ):
        resolve("divides:x")


async def awaited(message: object) -> None:
    raise AssertionError("never called")


async def yielded(message: object) -> AsyncIterator[object]:
    yield message


class Called:
    async def __call__(self, message: object) -> None:
        raise AssertionError("never called")


called = Called()
partly = partial(awaited)


@pytest.mark.parametrize("name", ["awaited", "yielded", "called", "partly"])
def test_a_function_that_is_to_be_awaited_is_refused(name: str) -> None:
    with pytest.raises(AuthorFunctionError, match=f"{name} is 'async def'.*write 'def'"):
        load_function(f"{__name__}:{name}", memory=False)


@pytest.mark.parametrize("load", [resolve, partial(load_function, memory=False)])
def test_a_module_that_ends_the_program_is_one_that_cannot_be_imported(
    load: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ends_at_once.py").write_text("raise SystemExit(0)")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((SchemaError, AuthorFunctionError), match="cannot be imported"):
        load("ends_at_once:x")
