"""Names that there are not, and values that none can have: one exit code and one sentence."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from supervisor import control as controlling
from supervisor.cli import app
from supervisor.control import Control
from supervisor.edge import exit_for
from supervisor.errors import ActionFailed, UnknownWorker
from supervisor.exits import Exit
from tests.servers.command import in_words
from tests.servers.pipeline import SMALL, topology_from


@pytest.fixture
def config(tmp_path: Path) -> Path:
    topology_from(SMALL, tmp_path)
    return tmp_path / "streams.yaml"


def called(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("up --only gats", "did you mean 'gate'"),
        ("tail INN", "did you mean 'IN'"),
        ("lineage trace NOWHERE", "no stream 'NOWHERE'"),
        ("render kubernetes --namespace Bad", "'Bad' is no name of a namespace"),
        ("scale gate -1", "-1 is no option; if a number is meant, none here is below 0"),
        ("tail IN -5", "-5 is no option; if a number is meant"),
        ("scale gate 999", "256"),
    ],
)
def test_what_there_is_not_is_a_mistake_in_the_command(
    words: str, said: str, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("supervisor.context.Context.client", lambda _: None)
    found = called(config, *words.split())
    assert found.exit_code == Exit.USAGE
    assert said in in_words(found)


def test_an_option_that_is_none_is_still_told_as_one(config: Path) -> None:
    found = called(config, "scale", "gate", "--jsn")
    assert found.exit_code == Exit.USAGE
    assert "No such option: --jsn" in in_words(found)


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [(404, UnknownWorker, Exit.USAGE), (409, ActionFailed, Exit.FAILED)],
)
def test_the_supervisors_answer_has_the_exit_code_of_its_reason(
    status: int,
    error: type[Exception],
    code: Exit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Control, "_find", lambda _: None)
    monkeypatch.setattr(Control, "_ask", lambda *_: (status, b'{"error": "there is no worker"}'))
    with pytest.raises(error, match="there is no worker") as refused:
        controlling.Control(tmp_path).act("scale", {"worker": "gats", "processes": 1})
    assert type(refused.value) is error
    assert exit_for(refused.value) is code


_ONE_CHANGE = b'{"changes": [{"worker": "gate", "deed": "replaced", "what": ["a: 1 -> 2"]}]}'


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (200, b'{"changes": []}', Exit.OK, "nothing has changed"),
        (200, _ONE_CHANGE, Exit.OK, "gate: replaced\n    a: 1 -> 2\napplied; ready"),
        (409, b'{"error": "x; y", "problems": ["x", "y"]}', Exit.TOPOLOGY, "x\npenstock: y"),
        (504, b'{"error": "gate did not become ready"}', Exit.FAILED, "did not become ready"),
    ],
)
def test_a_reload_prints_what_the_supervisor_says_whatever_the_file_looks_like_from_here(
    status: int,
    body: bytes,
    code: Exit,
    said: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Control, "_find", lambda _: None)
    monkeypatch.setattr(Control, "_ask", lambda *_: (status, body))
    config.write_text("lans: 2\n")
    done = called(config, "reload")
    assert (done.exit_code, said in done.output) == (code, True), done.output
