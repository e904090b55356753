"""``penstock render``: prints the files, or writes them."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from supervisor.cli import app
from supervisor.exits import Exit
from tests.servers.pipeline import SMALL, topology_from

KINDS = ("kubernetes", "systemd", "compose")


def render(directory: Path, *arguments: str) -> Result:
    topology_from(SMALL, directory)
    config = str(directory / "streams.yaml")
    return CliRunner().invoke(app, ["--config", config, "render", *arguments])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_printed_is_what_is_written(tmp_path: Path, kind: str) -> None:
    printed = json.loads(render(tmp_path, kind, "--json").stdout)
    told = render(tmp_path, kind, "--out", str(tmp_path / "made")).stdout.split()
    assert [Path(path).name for path in told] == list(printed)
    assert {Path(path).name: Path(path).read_text() for path in told} == printed
    assert all(text.startswith("# Rendered from") for text in printed.values())


def test_printed_manifests_are_one_stream_of_documents(tmp_path: Path) -> None:
    text = render(tmp_path, "kubernetes", "--namespace", "mine").stdout
    objects = list(YAML(typ="safe").load_all(text))
    assert len(objects) == 8
    assert {thing["metadata"].get("namespace", "mine") for thing in objects} == {"mine"}
    addresses = [t["spec"]["triggers"][0]["metadata"]["address"] for t in objects[-1:]]
    assert addresses == ["redis.mine.svc:6379"]


def test_a_server_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = render(tmp_path, "kubernetes", "--redis", "redis://:hidden@r")
    assert done.exit_code == Exit.FAILED
    assert "password" in done.stderr
    assert "hidden" not in done.output
