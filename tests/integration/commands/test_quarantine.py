"""``penstock quarantine`` and ``dead``: what was set aside is shown, mended, released, dropped."""

import json
from pathlib import Path

import pytest

from schemas.topology import Topology
from streams.connection import Client
from streams.observe import find
from supervisor import asking
from tests.servers.command import Penstock, add, lines
from tests.servers.pipeline import all_entries, reading, until, working

GOOD = reading().decode()


def test_a_broken_message_is_mended_and_released_through_the_gate(
    client: Client, topology: Topology, penstock: Penstock, tmp_path: Path
) -> None:
    add(client, "IN", "data", '{"secret": "s3cret"}', "id", "m-1")
    with working(client, topology, "gate"):
        until(lambda: all_entries(client, topology, "BAD"))
        listed = penstock("quarantine", "list")
        assert "union_tag_not_found" in listed.stdout
        assert "s3cret" not in listed.stdout
        [told] = lines(penstock("quarantine", "list", "--json"))
        mended = tmp_path / "mended.json"
        mended.write_text(GOOD)
        released = penstock("quarantine", "release", told["uid"], "--data", str(mended))
        assert "released as IN/" in released.stdout
        [entry] = until(lambda: all_entries(client, topology, "OK"))
    assert (entry.get(b"data"), entry.get(b"id")) == (GOOD.encode(), b"m-1")
    assert lines(penstock("quarantine", "list", "--json")) == []
    [record] = [
        json.loads(e.get(b"data") or b"")
        for e in all_entries(client, topology, "LINEAGE")
        if b'"release"' in (e.get(b"data") or b"")
    ]
    assert record["worker_kind"] == "release"
    assert record["outputs"] == [{"stream": "IN", "parents": [told["uid"]]}]


@pytest.fixture
def rejected(client: Client, topology: Topology) -> list[str]:
    """Three rejected messages: two without data, one that is no JSON."""
    add(client, "IN", "date", "{}")
    add(client, "IN", "data", "no \x1b[31mJSON " + "x" * 3_000)
    add(client, "IN", "date", "{}")
    with working(client, topology, "gate"):
        entries = until(
            lambda: (found := all_entries(client, topology, "BAD")) and len(found) == 3 and found
        )
    return [entry.uid for entry in entries]


def test_show_prints_the_reason_and_a_payload_that_is_safe_and_short(
    rejected: list[str], penstock: Penstock
) -> None:
    found = penstock("quarantine", "show", rejected[1])
    assert "the message: json_invalid" in found.stdout
    assert "no \\x1b[31mJSON" in found.stdout
    assert len(found.stdout) < 2_600
    assert len(penstock("quarantine", "show", rejected[1], "--full").stdout) > 3_000
    [told] = lines(penstock("quarantine", "show", rejected[1].rpartition("/")[2], "--json"))
    assert told["data"].startswith("no \x1b[31mJSON")
    assert "field      date = {}" in penstock("quarantine", "show", rejected[0]).stdout


def test_a_list_that_was_cut_says_so(rejected: list[str], penstock: Penstock) -> None:
    found = penstock("quarantine", "list", "-n", "2")
    assert "2 of 3; -n shows more" in found.stderr


def test_all_of_one_rule_are_dropped_and_the_others_stay(
    rejected: list[str], penstock: Penstock
) -> None:
    chosen = ("--all", "--rule", "missing_data", "--yes")
    dropped = lines(penstock("quarantine", "drop", *chosen, "--json"))
    assert [each["uid"] for each in dropped] == [rejected[0], rejected[2]]
    assert [each["uid"] for each in lines(penstock("quarantine", "list", "--json"))] == [
        rejected[1]
    ]


def test_releasing_all_meets_each_message_once_though_it_is_rejected_again(
    client: Client, topology: Topology, rejected: list[str], penstock: Penstock
) -> None:
    with working(client, topology, "gate"):
        released = lines(penstock("quarantine", "release", "--all", "--json"))
        assert [each["uid"] for each in released] == rejected
        until(lambda: len(all_entries(client, topology, "BAD")) == 3)


def test_one_that_is_gone_stops_none_of_the_others(rejected: list[str], penstock: Penstock) -> None:
    found = penstock("quarantine", "drop", rejected[0], "BAD/1-1", rejected[2], "--yes")
    assert found.exit_code == 1
    assert "BAD/1-1" in found.stderr
    assert found.stdout.count("dropped") == 2
    assert (
        "There is no such message"
        in penstock("quarantine", "drop", "--all", "--rule", "none", "--yes").stderr
    )


def test_drop_asks_on_a_terminal(
    rejected: list[str], penstock: Penstock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    class System:
        stdin = Terminal()

    monkeypatch.setattr(asking, "sys", System())
    assert penstock("quarantine", "drop", "--all", stdin="n\n").exit_code == 1
    assert len(lines(penstock("quarantine", "list", "--json"))) == 3
    assert penstock("quarantine", "drop", rejected[0], stdin="y\n").exit_code == 0
    assert penstock("quarantine", "drop", "--all", "--yes").exit_code == 0
    assert lines(penstock("quarantine", "list", "--json")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["release"], "name the messages"),
        (["release", "BAD/1-0", "--all"], "name the messages"),
        (["drop", "BAD/1-0", "--rule", "x"], "name the messages"),
        (["release", "--all", "--data", "-"], "payload of one message"),
        (["release", "BAD/1-0", "--data", "-"], "is empty"),
    ],
)
def test_a_mistaken_release_or_drop_is_answered(
    arguments: list[str], said: str, penstock: Penstock
) -> None:
    found = penstock("quarantine", *arguments, stdin="")
    assert found.exit_code == 2
    assert said in found.stderr


def test_what_somebody_else_wrote_there_is_listed_and_can_only_be_dropped(
    client: Client, penstock: Penstock
) -> None:
    uid = add(client, "BAD", "data", "no reason")
    [told] = lines(penstock("quarantine", "list", "--json"))
    assert (told["uid"], told["rule"]) == (uid, "?")
    assert "does not say which stream" in penstock("quarantine", "release", uid).stderr
    assert penstock("quarantine", "drop", uid, "--yes").exit_code == 0


def test_a_dead_letter_is_listed_with_its_attempts_and_released_for_its_worker(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    letter = {
        "kind": "dead_letter",
        "message": "OK/1-0",
        "stream": "OK",
        "worker": "drift",
        "attempts": 5,
        "error": "ValueError: s3cret",
    }
    uid = add(client, "DEAD_LETTER", "data", json.dumps(letter), "original.data", GOOD)
    listed = penstock("dead", "list").stdout
    assert "s3cret" not in listed
    assert listed.splitlines()[1].split()[-3:] == ["drift", "ValueError", "5"]
    [told] = lines(penstock("dead", "release", uid, "--json"))
    entry = find(client, told["released_as"])
    assert entry is not None
    assert (entry.get(b"only_for"), entry.get(b"parents")) == (b"drift", uid.encode())
    assert "empty" in penstock("dead", "list").stderr
