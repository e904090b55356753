"""What lineage says of a ROE token: a keyed hash, and never the token."""

import json

from lineage.wire import decode
from schemas.examples import EXAMPLES
from schemas.lineage_record import LineageOutput
from schemas.topology_file import load_topology
from streams.entry import Entry
from streams.keys import Lane
from tests.servers.processes import ROOT
from workers.kinds import build_handler
from workers.provenance import RoeHashes

TOPOLOGY = load_topology(ROOT / "streams.yaml")
TOKEN = EXAMPLES["sensor_reading"]["security"]["roe_token"]


def _notes(secret: bytes, **changes: object) -> list[dict[str, object]]:
    event = EXAMPLES["sensor_reading"]
    security = {**event["security"], **changes}
    data = json.dumps({**event, "security": security}).encode()
    gate = build_handler(TOPOLOGY, "gate", Lane(), secret)
    settled = gate.handle([Entry("L3_IN", f"{n}-0", [b"data", data]) for n in (1, 2)])
    found = [output.lineage for each in settled for output in each.outputs]
    assert found[0] is found[1]  # alike messages share an item of the record
    return [dict(note) for note in found if note is not None]


def test_the_same_token_has_the_same_hash_under_one_key_only() -> None:
    one, other = RoeHashes(b"one"), RoeHashes(b"other")
    assert one.of("x") == one.of("x") == RoeHashes(b"one").of("x")
    assert len({one.of("x"), one.of("y"), other.of("x")}) == 3


def test_without_a_key_or_a_token_nothing_is_said() -> None:
    assert RoeHashes().of(TOKEN) is None
    assert RoeHashes(b"key").of(None) is None
    assert "roe_hash" not in _notes(b"key", roe_token=None)[0]
    assert "roe_hash" not in _notes(b"")[0]


def test_hashes_that_are_remembered_are_bounded() -> None:
    hashes = RoeHashes(b"key")
    for n in range(10_000):
        hashes.of(f"token {n}")
    assert len(hashes._known) <= 4096


def test_the_gates_note_holds_the_hash_and_never_the_token() -> None:
    note = _notes(b"key")[0]
    assert note["roe_hash"] == RoeHashes(b"key").of(TOKEN)
    assert TOKEN not in json.dumps(note)
    assert _notes(b"key", roe_token="another")[0]["roe_hash"] != note["roe_hash"]
    said = json.dumps({"stream": "L3", "parents": ["L3_IN/1-0"], **note})
    assert LineageOutput.model_validate_json(said).roe_hash == note["roe_hash"]


def test_a_record_with_a_hash_is_read() -> None:
    author = {"worker": "w", "worker_kind": "gate", "worker_version": "1", "host": "h"}
    output = {"stream": "L3", "parents": ["L3_IN/1-0"], **_notes(b"key")[0], "alike": []}
    data = json.dumps({**author, "run": "r", "at_ms": 1, "outputs": [output]}).encode()
    record, _ = decode(data, b"5-0")
    assert record.outputs[0].roe_hash == RoeHashes(b"key").of(TOKEN)
