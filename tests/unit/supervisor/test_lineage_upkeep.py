"""The verbs that keep the lineage graph honest and small, on the embedded store."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lineage.store import StoreSettings, open_store
from supervisor.cli import app
from supervisor.exits import Exit
from tests.servers.lineage_records import LAYERS, commit, output
from tests.servers.processes import ROOT

SECRET = "the key of these tests"
Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PENSTOCK_LINEAGE_KEY", SECRET)
    monkeypatch.delenv("PENSTOCK_NEO4J_URI", raising=False)
    url = f"sqlite:{tmp_path / 'lineage.db'}"
    with open_store(StoreSettings(url, chain_key=SECRET.encode()), LAYERS) as store:
        store.write([commit(5, output("L3", "L3_IN/1-0")), commit(9, output("L4", "L3/5-0"))])
    config = str(ROOT / "streams.yaml")
    return lambda *words: CliRunner().invoke(app, ["-c", config, "lineage", *words])


def test_a_sound_store_leaves_with_0_and_keeps_the_heads(call: Call, tmp_path: Path) -> None:
    heads = tmp_path / "heads.json"
    found = call("verify", "--heads", str(heads))
    assert (found.exit_code, found.output.splitlines()[-1][-5:]) == (0, "sound")
    assert json.loads(heads.read_text())["LINEAGE"][0] == 2
    assert call("verify", "--heads", str(heads)).exit_code == 0


def test_a_change_leaves_with_8_and_is_named(call: Call, tmp_path: Path) -> None:
    plain = sqlite3.connect(tmp_path / "lineage.db")
    plain.execute("UPDATE entity SET tenant = 'evil' WHERE id = 'L4/9-0'")
    plain.commit()
    plain.close()
    found = call("verify")
    assert found.exit_code == Exit.LINEAGE
    assert "changed: L4/9-0: it is not as LINEAGE/9-9 made it" in found.output
    assert json.loads(call("verify", "--json").output)["faults"][0]["where"] == "L4/9-0"


def test_heads_that_are_none_are_refused(call: Call, tmp_path: Path) -> None:
    heads = tmp_path / "heads.json"
    heads.write_text("[1]")
    assert call("verify", "--heads", str(heads)).exit_code == Exit.USAGE


def test_a_held_message_outlives_retention(call: Call) -> None:
    assert call("hold", "L4/9-0", "--reason", "audit 7").exit_code == 0
    assert "L4/9-0  audit 7" in call("holds").output
    assert call("retain", "--age", "1d", "--yes").output == "0 messages removed\n"
    assert "no longer held" in call("release", "L4/9-0").output
    assert "no hold" in call("release", "L4/9-0").output
    assert (
        "layer 3: 2 due" in call("retain", "--age", "1d", "--layer", "4=ever", "--dry-run").output
    )
    assert (
        call("retain", "--age", "1d", "--layer", "4=ever", "--yes").output == "2 messages removed\n"
    )
    assert call("retain", "--layer", "4=1d", "--yes").output == "1 messages removed\n"
    assert call("verify").exit_code == 0


@pytest.mark.parametrize(
    "words", [(), ("--age", "soon"), ("--layer", "3"), ("--layer", "x=1d"), ("--layer", "3=x")]
)
def test_an_age_that_is_none_is_refused(call: Call, words: tuple[str, ...]) -> None:
    assert call("retain", *words).exit_code == Exit.USAGE


def test_a_hold_on_an_unknown_message_is_refused(call: Call) -> None:
    assert call("hold", "L9/1-0").exit_code == Exit.LINEAGE
    assert call("hold", "nonsense").exit_code == Exit.USAGE


def test_the_export_is_one_event_a_line(call: Call) -> None:
    found = call("export", "openlineage", "--server", "redis.internal:6379")
    events = [json.loads(line) for line in found.output.splitlines()]
    assert events[0]["dataset"]["namespace"] == "redis://redis.internal:6379"
    assert all(
        event["schemaURL"].startswith("https://openlineage.io/spec/2-0-2") for event in events
    )
