"""Claim, lease, commit and crash in any order do what the model says; a broken script does not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import Phase

from schemas.topology import Topology
from streams import scripts
from tests.chaos.delivery_model import check
from tests.servers.pipeline import SMALL, topology_from
from tests.servers.stream_server import StreamServer


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(SMALL, tmp_path)


def test_delivery_behaves_as_the_model_says(server: StreamServer, topology: Topology) -> None:
    with server.client() as client:
        check(client, topology, 150)


@contextmanager
def mutated(name: str, old: str, new: str) -> Iterator[None]:
    """A script of ours with a fault in it."""
    source: Callable[[str], tuple[bytes, str]] = scripts._source

    def broken(asked: str) -> tuple[bytes, str]:
        text, digest = source(asked)
        if asked != name:
            return text, digest
        assert old.encode() in text
        return text.replace(old.encode(), new.encode()), "0" * 40

    patch = pytest.MonkeyPatch()
    patch.setattr(scripts, "_source", broken)
    try:
        yield
    finally:
        patch.undo()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("commit", "local emit = ours or redis.call('XACK', stream, group, id) == 1",
         "redis.call('XACK', stream, group, id) local emit = true"),
        ("commit", "if redis.call('GET', KEYS[1]) ~= ARGV[1] then", "if false then"),
        ("claim", "redis.call('EXISTS', KEYS[2]) == 1", "false"),
        ("claim", "if #pending == 0 then", "if true then"),
        ("trim", "if group['pending'] > 0 then", "if false then"),
    ],
    ids=["emits without an ack", "no fence", "claims from the living", "destroys pending entries",
         "trims pending entries"],
)  # fmt: skip
def test_the_model_finds_a_script_that_is_broken(
    valkey_server: StreamServer, topology: Topology, name: str, old: str, new: str
) -> None:
    with (
        valkey_server.client() as client,
        mutated(name, old, new),
        pytest.raises((AssertionError, pytest.fail.Exception)),
    ):
        check(client, topology, 100, Phase.generate)
