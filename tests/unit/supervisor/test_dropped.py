"""A stream that a changed topology file does not name any more is told, with what it holds."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Away
from redis.exceptions import ResponseError
from typer.testing import CliRunner

from schemas.topology import Topology
from supervisor import applied_file, control, inspection
from supervisor.cli import app
from supervisor.context import Context
from supervisor.exits import Exit
from supervisor.parts import applied
from tests.unit.supervisor.stand_ins import topology


class StrawClient:
    """A server with streams, each with the entries that its groups have not read or not settled."""

    def __init__(self, **streams: dict[str, tuple[int | None, int]]) -> None:
        self.streams = streams

    def __enter__(self) -> "StrawClient":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def execute_command(self, command: str, key: str) -> Any:
        if not self.streams:
            raise Away("away")
        if key not in self.streams:
            raise ResponseError("no such key")
        if command == "XINFO STREAM":
            return {"length": 5, "last-generated-id": b"9-0", "entries-added": 5}
        return [
            [
                *(b"name", group.encode(), b"consumers", 1, b"pending", pending),
                *(b"last-delivered-id", b"1-0", b"entries-read", 1, b"lag", lag),
            ]
            for group, (lag, pending) in self.streams[key].items()
        ]


def renamed(found: Topology) -> Topology:
    """The gate reads ``INBOX`` in the place of ``IN``."""
    tree = json.loads(found.model_dump_json(by_alias=True).replace('"IN"', '"INBOX"'))
    return Topology.model_validate(tree)


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls a verb where a supervisor runs that applies at once whatever the file says."""
    applied_file.write(tmp_path, applied(topology()))
    new = applied(renamed(topology()))

    class Straw(SimpleNamespace):
        def act(self, *_: Any) -> dict[str, list[Any]]:
            applied_file.write(tmp_path, new)
            return {"changes": []}

    here = SimpleNamespace(config="streams.yaml")
    monkeypatch.setattr(control, "Control", lambda data_dir: Straw(data_dir=data_dir, here=here))
    monkeypatch.setattr(inspection, "look_at", lambda _: new)
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path))

    def call(client: StrawClient, *verb: str) -> Any:
        monkeypatch.setattr(Context, "client", lambda _: client)
        return CliRunner().invoke(app, verb)

    return call


HELD = (
    "stream IN: dropped\n"
    "    its 5 entries stay on the server; 3 unread by 'gate', an unknown number unread by 'tool'\n"
    "    have IN in the topology until it is read by 'gate' and 'tool'; "
    "if nobody needs them: DEL IN\n"
)


@pytest.mark.parametrize(("verb", "code"), [("plan", Exit.CHANGES), ("reload", Exit.OK)])
def test_what_a_dropped_stream_holds_unread_is_told(verb: str, code: int, said: Any) -> None:
    client = StrawClient(IN={"gate": (2, 1), "tool": (None, 0), "done": (0, 0)})
    done = said(client, verb)
    assert done.exit_code == code, done.output
    assert HELD in done.stdout
    assert "nothing" not in done.stdout


@pytest.mark.parametrize("verb", ["plan", "reload"])
def test_json_names_the_stream_and_what_it_holds(verb: str, said: Any) -> None:
    told = json.loads(said(StrawClient(IN={"gate": (0, 0)}), verb, "--json").stdout)
    assert told[-1] == {
        "stream": "IN",
        "deed": "dropped",
        "what": [
            "its 5 entries stay on the server; none is unread",
            "if nobody needs them: DEL IN",
        ],
    }


def test_a_stream_that_holds_nothing_is_told_by_its_name_alone(said: Any) -> None:
    assert said(StrawClient(OTHER={}), "plan").stdout.endswith("stream IN: dropped\n")


@pytest.mark.parametrize("verb", ["plan", "reload"])
def test_a_server_that_does_not_answer_keeps_no_change_from_being_told(
    verb: str, said: Any
) -> None:
    done = said(StrawClient(), verb)
    assert "stream IN: dropped\n    what it holds cannot be seen: " in done.stdout
