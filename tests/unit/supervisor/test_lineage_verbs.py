"""The verbs of ``penstock lineage`` on the embedded store, as a user calls them."""

import json
import re
import shlex
import time
from ast import literal_eval
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from lineage.answers import DEFAULT_LIMIT
from lineage.incidents import DEFAULT_WITHIN_S
from lineage.picture import MOST_NODES
from lineage.store import open_store
from supervisor import lineage_options
from supervisor.cli import app
from supervisor.commands.lineage import graph
from supervisor.commands.lineage_reports import incidents
from supervisor.exits import Exit
from tests.servers.lineage_story import (
    ANOMALIES,
    DECISION,
    LAYERS,
    READING,
    READINGS,
    REJECTION,
    START_MS,
    story,
)

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "lineage.md").read_text(encoding="utf-8")
FAMILY: dict[str, Any] = get_command(app).commands["lineage"].commands  # type: ignore[attr-defined]
QUESTION_MODULES = (
    "lineage",
    "lineage_questions",
    "lineage_spread",
    "lineage_reports",
    "lineage_cypher",
)
QUESTION_VERBS = [
    name
    for name, verb in FAMILY.items()
    if verb.callback.__module__.rpartition(".")[2] in QUESTION_MODULES
]
SINCE = ["--since", "2025-01-01"]
QUESTIONS = [
    ["cause", ANOMALIES[0]],
    ["shared", *ANOMALIES],
    ["shared", *SINCE],
    ["audit", DECISION],
    ["consumers", READING],
    ["impact", READING],
    ["impact", "--worker", "assess", "--version", "2.1.0"],
    ["impact", *SINCE],
    ["taint", "--schema", "schemas:L8SecuritySchema", "--version", "1.0"],
    ["taint", "--producer", "pump-7"],
    ["findings"],
    ["incidents"],
    ["versions"],
    ["violations"],
    ["access", "--tenant", "acme"],
    ["crossings"],
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    with open_store(f"sqlite:{folder}/lineage.db", LAYERS) as store:
        store.write(story())
    return folder


@pytest.fixture(autouse=True)
def environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(data))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.delenv("PENSTOCK_NEO4J_URI", raising=False)


def lineage(*arguments: str) -> Result:
    config = ["--config", str(ROOT / "streams.yaml")]
    return CliRunner().invoke(app, [*config, "lineage", *arguments], prog_name="penstock")


def rows(*arguments: str) -> list[dict[str, Any]]:
    result = lineage(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["rows"]
    return found


@pytest.mark.parametrize("arguments", QUESTIONS, ids=" ".join)
def test_a_question_is_answered_as_a_table_and_as_json(arguments: list[str]) -> None:
    assert rows(*arguments)
    table = lineage(*arguments)
    assert table.exit_code == 0
    header = 0 if arguments[0] == "incidents" else 1
    assert len(table.stdout.splitlines()) == len(rows(*arguments)) + header


def uids_in(found: Any) -> set[str]:
    """Every uid that is told of somewhere in an answer's cells, of a list the first."""
    cells = [row.get(name) for row in found for name in ("uid", "example", "flagged")]
    firsts = [cell[0] if isinstance(cell, list) and cell else cell for cell in cells]
    return {cell for cell in firsts if isinstance(cell, str)}


@pytest.mark.parametrize("arguments", QUESTIONS, ids=" ".join)
def test_on_80_columns_every_line_fits_and_every_uid_is_whole(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = lineage(*arguments).stdout
    assert max(map(len, told.splitlines())) <= 80
    assert "…" not in told
    assert all(uid in told.split() for uid in uids_in(rows(*arguments)))


def test_a_trace_is_folded_to_the_screen_and_whole_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = lineage("trace", DECISION).stdout
    monkeypatch.setenv("COLUMNS", "80")
    folded = lineage("trace", DECISION).stdout
    monkeypatch.delenv("COLUMNS")
    piped = lineage("trace", DECISION).stdout
    assert max(map(len, folded.splitlines())) <= 80 < max(map(len, piped.splitlines()))
    assert folded.split() == piped.split() == whole.split()


@pytest.mark.parametrize("arguments", QUESTIONS, ids=" ".join)
def test_a_pipe_gets_each_row_whole_on_one_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    told = lineage(*arguments).stdout
    assert len(told.splitlines()) == len(rows(*arguments)) + (arguments[0] != "incidents")
    assert "…" not in told


@pytest.mark.parametrize("arguments", QUESTIONS, ids=" ".join)
def test_an_answer_that_is_cut_says_so(arguments: list[str]) -> None:
    if len(rows(*arguments)) == 1 and arguments[0] != "incidents":
        pytest.skip("one row can't be cut")
    told = json.loads(lineage(*arguments, "--limit", "1", "--json").stdout)
    assert told["truncated"] is True
    assert len(told["rows"]) == 1
    assert "…" in lineage(*arguments, "--limit", "1").stderr


@pytest.mark.parametrize("verb", QUESTION_VERBS)
def test_every_verb_has_help_with_an_example_and_stands_in_the_docs(verb: str) -> None:
    told = lineage(verb, "--help")
    assert told.exit_code == 0
    assert f"Example: penstock lineage {verb}" in told.output
    assert f"penstock lineage {verb}" in DOCS


def test_every_named_query_is_described_in_the_docs() -> None:
    from lineage.queries import Queries

    for name in Queries.load("questions/*.sql").names:
        assert f"`{name}`" in DOCS, name


def test_what_the_page_asks_from_python_runs_and_counts_is_told_there_and_is_no_verb(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [block] = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    exec(block.replace("sqlite:.penstock/lineage.db", f"sqlite:{data}/lineage.db"), {})
    [*rows, counts] = capsys.readouterr().out.splitlines()
    assert rows
    assert literal_eval(counts)["entities"] > 600
    assert "counts" not in FAMILY
    assert "named query `counts` [from Python](#from-python), and by no verb" in DOCS


@pytest.mark.parametrize(
    "example", re.findall(r"^\$ penstock lineage (.*)$", DOCS, re.MULTILINE) or ["none"]
)
def test_what_the_docs_show_is_what_is_printed(
    example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setenv("COLUMNS", "200")
    shown = DOCS.split(f"$ penstock lineage {example}\n", 1)[1].split("```", 1)[0]
    printed = lineage(*shlex.split(example)).output
    assert [line.rstrip() for line in printed.splitlines()] == shown.splitlines()


def test_impact_counts_by_layer_stream_and_tenant() -> None:
    found = rows("impact", "--producer", "pump-8")
    assert (found[1]["stream"], found[1]["messages"], found[1]["tenant"]) == ("L3", 150, "acme")
    assert sum(row["messages"] for row in rows("impact", *SINCE)) == 2 * READINGS + 12


def test_a_moment_chooses_what_is_named_not_what_was_made_from_it() -> None:
    assert rows("taint", "--worker", "hunt", "--until", "2025-01-01") == []
    streams = [row["stream"] for row in rows("taint", "--worker", "hunt", *SINCE)]
    assert streams == ["L8_IN", "SHRINK", "L8_IN", "L8", "L9_IN", "L9"]


def test_crossings_name_the_worker_that_lowered_the_classification() -> None:
    (row,) = rows("crossings")
    assert (row["worker"], row["to_classification"]) == ("decide", "UNCLASSIFIED")


def test_gaps_leave_out_what_producers_publish() -> None:
    result = lineage("gaps")
    assert (result.exit_code, result.stderr) == (0, "Nothing found.\n")


def test_what_flags_nothing_has_no_cause_to_show() -> None:
    result = lineage("cause", DECISION)
    assert result.exit_code == Exit.LINEAGE
    assert "flags no message" in result.stderr


@pytest.mark.parametrize(
    "verb", ["trace", "graph", "cause", "audit", "consumers", "impact", "taint"]
)
def test_a_message_that_nobody_knows_is_refused(verb: str) -> None:
    result = lineage(verb, "L3/1-0")
    assert result.exit_code == Exit.LINEAGE
    assert "no lineage record mentions 'L3/1-0'" in result.stderr


@pytest.mark.parametrize("verb", ["trace", "graph", "cause", "shared", "audit", "impact", "taint"])
@pytest.mark.parametrize("uid", ["L3/", "L3/5", "L3/5-0-1", "/5-0", "L 3/5-0", "L3/x-y", "a/b/5-0"])
def test_what_is_no_uid_is_refused_with_what_one_is(verb: str, uid: str) -> None:
    result = lineage(verb, uid)
    assert result.exit_code == Exit.USAGE
    assert "a uid is STREAM/ENTRY-ID" in " ".join(re.sub("[│\n]", " ", result.stderr).split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["shared"], "name findings by their uids, or a time"),
        (["taint"], "name what to begin from"),
        (["taint", "L3/1-0", "--worker", "w"], "not both uid and worker"),
        (["impact", "--producer", "p", "--version", "1"], "that of a --worker or a --schema"),
        (["impact", "L3/1-0", "--since", "1h"], "a UID names one"),
        (["findings", "--since", "yesterday"], "'yesterday' is no time"),
        (["findings", "--since", "1h", "--until", "2h"], "does not lie before"),
        (["findings", "--limit", "0"], "greater than or equal to 1"),
        (["cypher", "RETURN 1", "-p", "x"], "write name=value"),
        (["graph", DECISION, "--format", "png"], "mermaid"),
    ],
)
def test_a_mistake_is_answered_with_what_to_write(arguments: list[str], says: str) -> None:
    result = lineage(*arguments)
    assert result.exit_code == Exit.USAGE, result.output
    assert says in " ".join(re.sub("[│\n]", " ", result.stderr).split())


def test_the_embedded_store_has_no_cypher() -> None:
    result = lineage("cypher", "MATCH (n) RETURN n")
    assert result.exit_code == Exit.LINEAGE
    assert "the embedded store has no Cypher; set PENSTOCK_NEO4J_URI" in result.stderr


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg", "html"])
def test_a_picture_is_printed_or_written(form: str, tmp_path: Path) -> None:
    printed = lineage("graph", DECISION, "--format", form)
    assert printed.exit_code == 0, printed.output
    path = tmp_path / "picture"
    lineage("graph", DECISION, "--format", form, "--output", str(path))
    assert path.read_text(encoding="utf-8") == printed.stdout


def test_the_picture_in_the_docs_is_what_is_drawn() -> None:
    drawn = lineage("graph", DECISION, "--format", "svg").stdout
    assert (ROOT / "docs" / "images" / "lineage.svg").read_text(encoding="utf-8") == drawn
    ElementTree.fromstring(drawn)


def test_a_picture_that_is_cut_says_so() -> None:
    result = lineage("graph", REJECTION, "--nodes", "2")
    assert "messages farther away are not shown" in result.stderr


def test_what_the_verbs_default_to_is_what_the_library_does() -> None:
    assert lineage_options.ROWS == DEFAULT_LIMIT
    assert DEFAULT_WITHIN_S in (incidents.__defaults__ or ())
    assert MOST_NODES in (graph.__defaults__ or ())


def test_times_are_local_and_uids_whole() -> None:
    assert story()[0].record.at_ms - 1 == START_MS
    assert ANOMALIES[0] in lineage("findings").stdout
