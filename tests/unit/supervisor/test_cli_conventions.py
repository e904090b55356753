"""What holds for every verb: an example, ``--json``, exit codes, colours, and completion."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from supervisor.cli import app
from supervisor.cli_page import render
from supervisor.exits import Exit
from tests.servers.pipeline import SMALL, topology_from
from tests.unit.supervisor.stand_ins import a_machine
from tests.unit.supervisor.straw import supervised

PRINTS_ITS_OWN_FORMAT = {"schema show", "lineage graph", "lineage export"}
"""JSON Schema, pictures, and OpenLineage's JSON lines."""

OFFLINE = ("check", "check --mermaid", "schema list", "acl", "schema show L3EventSchema", "--help")


def _walked(command: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    inner = getattr(command, "commands", {})
    if not inner:
        return {" ".join(path): command}
    return {k: v for name, each in inner.items() for k, v in _walked(each, (*path, name)).items()}


VERBS = _walked(get_command(app))


def _options(verb: str) -> set[str]:
    return {option for parameter in VERBS[verb].params for option in parameter.opts}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_that_can_be_called(verb: str) -> None:
    found = re.findall(r"Example: (penstock .*)", VERBS[verb].help or "")
    assert len(found) == 1, f"{verb} has {len(found)} examples"
    words = shlex.split(found[0].partition(" > ")[0])[1:]
    if words[0] == "--config":
        words = words[2:]
    called = verb.split()
    assert words[: len(called)] == called
    VERBS[verb].make_context(verb, words[len(called) :], resilient_parsing=False)


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - PRINTS_ITS_OWN_FORMAT))
def test_every_verb_that_prints_does_so_as_json_too(verb: str) -> None:
    assert "--json" in _options(verb)


def test_ctrl_c_is_an_orderly_end_of_up_and_the_page_says_so(tmp_path: Path) -> None:
    with a_machine(step=0.01) as machine:
        done = supervised(machine, tmp_path, lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert done[-1] == "server stopped", "and nothing was raised, so the exit code is 0"
    assert [process.signals for process in machine.started] == [[signal.SIGTERM]] * 2
    (row,) = (line for line in render().splitlines() if line.startswith("| 130 |"))
    assert "It is 0 where Ctrl-C is how to end: `up`, once everything is drained" in row


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_says_what_it_does(verb: str) -> None:
    silent = [
        parameter.name
        for parameter in VERBS[verb].params
        if not (getattr(parameter, "help", None) or getattr(parameter, "hidden", False))
    ]
    assert silent == []


def test_every_exit_code_stands_in_the_docs_and_no_other_is_named() -> None:
    page = render()
    for code in Exit:
        assert f"| {code.value} | {code.name} |" in page
    named = {
        int(number)
        for verb in VERBS.values()
        for number in re.findall(r"[Ee]xit code (\d+)", verb.help or "")
    }
    assert named <= {code.value for code in Exit}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    topology_from(SMALL, tmp_path)
    return tmp_path / "streams.yaml"


@pytest.mark.parametrize("verb", OFFLINE)
def test_a_pipe_gets_no_escape_code(verb: str, config: Path) -> None:
    result = CliRunner().invoke(app, ["--config", str(config), *verb.split()])
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output


@pytest.mark.parametrize("verb", ["rehearse", "dead show", "lineage trace"])
def test_help_in_a_pipe_gets_no_escape_code(verb: str) -> None:
    result = CliRunner().invoke(app, [*verb.split(), "--help"])
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    assert "Example" in result.output


def _on_a_terminal(*arguments: str, **environment: str) -> str:
    """What the command writes on a terminal."""
    ours, theirs = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env={**kept, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 4096):
            said += piece
    except OSError:  # how a terminal ends when nobody writes to it any more
        assert process.wait(10) == 0
    os.close(ours)
    return said.decode()


@pytest.mark.parametrize("verb", ["schema list", "--help"])
def test_colours_are_for_terminals_and_no_color_has_the_last_word(verb: str, config: Path) -> None:
    arguments = ["--config", str(config), *verb.split()]
    assert "\x1b[" in _on_a_terminal(*arguments)
    assert "\x1b" not in _on_a_terminal(*arguments, NO_COLOR="1")


# --- completion --------------------------------------------------------------------------------


def _completed(shell: str, words: str, config: Path) -> list[str]:
    """What a shell is offered for the last word; it may be empty."""
    asked = {
        "_PENSTOCK_COMPLETE": f"complete_{shell}",
        "PENSTOCK_CONFIG": str(config),
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    result = CliRunner().invoke(app, [], env=asked, prog_name="penstock")
    return re.findall(r"[\w-]+", result.stdout.replace("_arguments", ""))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_completes_verbs_streams_and_workers(shell: str, config: Path) -> None:
    assert "rehearse" in _completed(shell, "penstock reh", config)
    assert _completed(shell, "penstock tail DE", config) == ["DEAD_LETTER"]
    assert _completed(shell, "penstock restart g", config) == ["gate"]
    assert _completed(shell, "penstock up --only ga", config) == ["gate"]
    assert set(_completed(shell, "penstock publish ", config)) == {"IN"}


def test_a_file_named_before_the_verb_is_the_one_completed_from(
    config: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    topology_from(SMALL | {"workers": {"door": SMALL["workers"]["gate"]}}, other)
    words = f"penstock --config {other / 'streams.yaml'} scale "
    assert _completed("bash", words, config) == ["door"]
    assert _completed("bash", "penstock --config /nowhere tail ", config) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_shown(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    result = CliRunner().invoke(app, ["--show-completion", shell], prog_name="penstock")
    assert result.exit_code == 0, result.output
    assert "_PENSTOCK_COMPLETE" in result.output


def test_a_sentence_and_its_facts_are_told_one_way_or_the_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from supervisor.telling import tell

    tell("gate has 2 processes", False, worker="gate")
    assert capsys.readouterr().out == "gate has 2 processes\n"
    tell("gate has 2 processes", True, worker="gate")
    assert json.loads(capsys.readouterr().out) == {"worker": "gate"}
