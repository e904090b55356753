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
    assert done.exit_code == Exit.USAGE
    assert "password" in done.stderr
    assert "hidden" not in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--redis", "redis://[::1/0"), "no URL of a stream server"),
        (("--redis", "redis://h:abc/0"), "'h:abc' is no host and port of a stream server"),
        (("--redis", "redis://h:99999/0"), "'h:99999'"),
        (("--redis", "redis://h:0/0"), "'h:0'"),
        (("--redis", "redis+cluster://h:6379,/0"), "'' is no host"),
        (("--redis", "redis://a b:6379/0"), "'a b:6379'"),
        (("--neo4j", "bolt://x:99999"), "'x:99999' is no host and port of the graph"),
        (("--neo4j", "bolt://[x"), "no URL of the graph"),
        (("--namespace", "Bad Name"), "'Bad Name' is no name of a namespace"),
        (("--namespace", "a" * 64), "is no name of a namespace"),
        (("--image", ""), "'' is no name of an image"),
        (("--redis", ""), "is no URL of a stream server"),
        (("--neo4j", ""), "'' is no host and port of the graph"),
    ],
)
def test_what_a_cluster_would_refuse_is_said_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = render(tmp_path, "kubernetes", *arguments)
    assert (done.exit_code, done.stdout) == (Exit.USAGE, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("redis", ["redis://[::1]/0", "rediss+sentinel://a:1,b:65535/main/0"])
def test_an_address_that_a_cluster_takes_is_rendered(tmp_path: Path, redis: str) -> None:
    assert render(tmp_path, "kubernetes", "--redis", redis).exit_code == Exit.OK


def test_a_topology_file_that_cannot_be_read_is_its_own_exit_code(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    for name, said in (("latin.yaml", "cannot be read"), ("nope.yaml", "there is no topology")):
        config = str(tmp_path / name)
        done = CliRunner().invoke(app, ["--config", config, "render", "kubernetes"])
        assert done.exit_code == Exit.TOPOLOGY
        assert said in done.stderr
