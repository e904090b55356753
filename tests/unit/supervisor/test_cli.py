"""The verbs, called as a user calls them, without any server."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from typer.main import get_command
from typer.testing import CliRunner, Result

from supervisor.cli import app
from supervisor.context import Context
from supervisor.exits import Exit
from supervisor.overview import Overview, ProcessView, ServerView, WorkerView
from tests.servers.pipeline import SMALL, topology_from

ASYNCAPI = Path(__file__).parents[2] / "data" / "asyncapi-3.0.0.json"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good topology file in a directory of its own, with no server and no supervisor."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("PENSTOCK_REDIS_URL", raising=False)
    monkeypatch.delenv("PENSTOCK_CONFIG", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    topology_from(SMALL, tmp_path)
    return tmp_path / "streams.yaml"


def penstock(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), prog_name="penstock")


def _verbs() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []

    def walk(command: Any, path: tuple[str, ...]) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*path, name))
        if not getattr(command, "commands", {}):
            found.append(path)

    walk(get_command(app), ())
    return found


OURS = [
    v for v in _verbs() if v[0] in ("up", "down", "restart", "scale", "status", "check", "schema")
]


def test_every_verb_is_there() -> None:
    families = {verb[0] for verb in _verbs()}
    assert families >= {
        "up", "down", "restart", "scale", "status", "check", "schema",
        "tail", "alerts", "publish", "quarantine", "lineage", "demo",
    }  # fmt: skip


@pytest.mark.parametrize("verb", OURS, ids=" ".join)
def test_every_verb_has_help_with_an_example(verb: tuple[str, ...]) -> None:
    result = penstock(*verb, "--help")
    assert result.exit_code == 0
    assert "Example: penstock " in result.output


def test_nothing_heavy_is_imported_before_a_verb_needs_it() -> None:
    heavy = "{'redis', 'pydantic', 'structlog', 'ruamel', 'prometheus_client', 'neo4j', 'numpy'}"
    script = f"import sys, supervisor.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_the_version_is_that_of_the_distribution() -> None:
    assert penstock("--version").output == f"penstock {version('penstock')}\n"


def test_a_verb_that_does_not_exist_is_a_mistake_of_usage() -> None:
    assert penstock("fly").exit_code == Exit.USAGE


def test_a_verb_without_global_options_is_a_fault_of_the_program() -> None:
    class Bare:
        def find_object(self, _: object) -> None:
            return None

    with pytest.raises(TypeError, match="global options"):
        Context.of(Bare())


def test_check_draws_the_graph_of_a_good_file(config: Path) -> None:
    result = penstock("check")
    assert result.exit_code == 0, result.output
    assert "-> gate -> OK, BAD" in result.stdout
    assert "5 streams, 1 workers, 1 lane" in result.stdout
    assert penstock("check", "--mermaid").stdout.startswith("flowchart LR")
    assert json.loads(penstock("check", "--json").stdout)["workers"]["gate"]["replicas"] == 1


def test_check_lists_every_problem_with_its_line(config: Path) -> None:
    text = config.read_text()
    config.write_text(
        text.replace("rejects_to: BAD", "rejects_to: BED").replace("IN: OK", "IN: KO")
    )
    result = penstock("--config", str(config), "check")
    assert result.exit_code == Exit.TOPOLOGY
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("penstock: worker 'gate' names stream ")
        assert f"({config}:" in line


FUNCTIONS = """\
def through(message):
    return message.event

def keeping(message, memory):
    return None

number = 7
"""


@pytest.mark.parametrize(
    ("call", "memory", "said"),
    [
        ("authored:through", False, ""),
        ("authored:keeping", True, ""),
        ("authored:keeping", False, "must take (message)"),
        ("authored:through", True, "must take (message, memory)"),
        ("authored:number", False, "must take (message)"),
        ("authored:missing", False, "has no 'missing'"),
        ("nowhere_at_all:through", False, "cannot be imported"),
        ("broken_module:through", False, "ZeroDivisionError"),
    ],
)
def test_check_tries_the_functions_beside_the_file(
    config: Path, call: str, memory: bool, said: str
) -> None:
    (config.parent / "authored.py").write_text(FUNCTIONS)
    (config.parent / "broken_module.py").write_text("1 / 0\n")
    transform = {"kind": "transform", "call": call, "reads": ["OK"], "writes": ["OUT"]}
    streams = {**SMALL["streams"], "OUT": {"schema": "schemas:L3EventSchema", "sink": True}}
    workers = {**SMALL["workers"], "pass": {**transform, "memory": memory}}
    topology_from({**SMALL, "streams": streams, "workers": workers}, config.parent)
    result = penstock("check")
    sys.modules.pop("authored", None)
    assert result.exit_code == (Exit.TOPOLOGY if said else Exit.OK), result.output
    assert said in result.stderr
    if said:
        assert "worker 'pass'" in result.stderr
        assert "streams.yaml:" in result.stderr


def test_schemas_are_listed_with_their_streams(config: Path) -> None:
    rows = json.loads(penstock("schema", "list", "--json").stdout)
    by_name = {row["schema"]: row["streams"] for row in rows}
    assert by_name["schemas:L3EventSchema"] == ["IN", "OK"]
    assert by_name["schemas:L9StrategicSchema"] == []
    assert "schemas:L3EventSchema" in penstock("schema", "list").stdout


@pytest.mark.parametrize("name", ["schemas:L3EventSchema", "L3EventSchema", "IN"])
def test_a_schema_is_shown_by_its_name_or_by_a_stream(config: Path, name: str) -> None:
    assert json.loads(penstock("schema", "show", name).stdout)["title"] == "L3EventSchema"


def test_a_schema_that_does_not_exist_is_a_mistake(config: Path) -> None:
    result = penstock("schema", "show", "L3Event")
    assert result.exit_code == Exit.USAGE
    assert "L3EventSchema" in result.stderr
    result = penstock("schema", "show", "schemas:L3Event")
    assert result.exit_code == Exit.FAILED
    assert result.stderr.startswith("penstock: schema 'schemas:L3Event' does not exist")


def test_what_is_exported_is_valid_and_whole(config: Path) -> None:
    directory = config.parent / "contracts"
    written = json.loads(penstock("schema", "export", str(directory), "--json").stdout)
    assert sorted(written) == sorted(str(path) for path in directory.iterdir())
    assert penstock("schema", "export", str(directory)).stdout.splitlines() == written
    document = json.loads((directory / "asyncapi.json").read_text())
    Draft7Validator(json.loads(ASYNCAPI.read_text())).validate(document)
    assert set(document["operations"]) == {
        "gate.receive.IN", "gate.send.OK", "gate.send.BAD", "gate.send.DEAD_LETTER",
        "gate.send.LINEAGE",
    }  # fmt: skip
    assert document["channels"]["IN"]["description"] == (
        "Written by producers outside the pipeline; read by gate."
    )


@pytest.mark.parametrize("verb", [["down"], ["restart"], ["scale", "gate", "2"], ["status"]])
def test_where_nothing_runs_the_next_step_is_named(config: Path, verb: list[str]) -> None:
    result = penstock(*verb)
    assert result.exit_code == Exit.NOT_RUNNING
    assert "'penstock up'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_a_wrong_topology(config: Path) -> None:
    result = penstock("--config", "nowhere.yaml", "up")
    assert result.exit_code == Exit.TOPOLOGY
    assert "nowhere.yaml" in result.stderr


def test_an_unknown_log_level_or_worker_is_refused(config: Path) -> None:
    assert penstock("up", "--log-level", "loud").exit_code == Exit.USAGE
    result = penstock("up", "--only", "gats")
    assert result.exit_code == Exit.USAGE
    assert "did you mean 'gate'" in result.stderr


def test_a_server_that_is_away_is_shown_and_ends_status_with_its_code(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = ProcessView(
        process="gate", pid=None, state="backing_off", ready=False, reason="it broke"
    )
    worker = WorkerView(
        worker="gate", kind="gate", wanted=1, ready=0, state="backing_off", restarts=3,
        rss_bytes=0, processes=(process,),
    )  # fmt: skip
    away = ServerView(kind="embedded", url="redis://x", reachable=False, error="it is away")
    found = Overview(ready=False, server=away, workers=(worker,))
    monkeypatch.setattr("supervisor.commands.status.overview_of", lambda _: found)
    result = penstock("status")
    assert result.exit_code == Exit.SERVER
    assert "it is away" in result.stdout
    assert "gate: it broke" in result.stdout
    assert "backing off" in result.stdout
