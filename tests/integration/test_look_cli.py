"""The verbs that look at streams, and those that bring messages in or back, on a real server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from schemas.topology import Topology
from streams.connection import Client, send
from streams.observe import ends, find, follow, newest, since
from supervisor.cli import app
from supervisor.demo.data import waterflow
from tests.servers.pipeline import (
    SMALL,
    all_entries,
    reading,
    settled,
    topology_from,
    until,
    working,
)
from tests.servers.stream_server import StreamServer

GOOD = reading().decode()
WATCHED: dict[str, Any] = SMALL | {
    "streams": SMALL["streams"] | {"FINDINGS": {"schema": "schemas:DriftEvent", "sink": True}},
    "workers": SMALL["workers"]
    | {
        "drift": {
            "kind": "drift",
            "watch": {"OK": {"key": "sensor_id"}},
            "writes": "FINDINGS",
        },
        "sink": {"kind": "lineage"},
    },
}

Penstock = Callable[..., Result]


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(WATCHED, tmp_path)


@pytest.fixture
def client(
    valkey_server: StreamServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    monkeypatch.setenv("PENSTOCK_REDIS_URL", valkey_server.url)
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path / "data"))
    with valkey_server.client() as client:
        send(client, "FLUSHALL")
        yield client


@pytest.fixture
def penstock(client: Client, topology: Topology, tmp_path: Path) -> Penstock:
    def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
        config = ["--config", str(tmp_path / "streams.yaml")]
        return CliRunner().invoke(app, [*config, *arguments], input=stdin)

    return run


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def add(client: Client, stream: str, *fields: str | bytes) -> str:
    entry_id: bytes = send(client, "XADD", stream, "*", *fields)
    return f"{stream}/{entry_id.decode()}"


# --- tail ------------------------------------------------------------------------------------


def test_what_any_redis_client_adds_shows_up_in_tail(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    uid = add(client, "IN", "data", GOOD, "id", "m-1")
    with working(client, topology, "gate"):
        until(lambda: all_entries(client, topology, "OK"))
    shown = penstock("tail", "OK")
    assert shown.stdout.startswith("OK/")
    assert "sensor_reading" in shown.stdout
    [told] = lines(penstock("tail", "OK", "--json"))
    assert told["fields"]["data"] == GOOD
    assert told["fields"]["parents"] == uid


def test_tail_shows_the_newest_last_and_no_more_than_asked_for(
    client: Client, penstock: Penstock
) -> None:
    uids = [add(client, "OK", "data", str(number)) for number in range(30)]
    assert [told["uid"] for told in lines(penstock("tail", "OK", "-n", "12", "--json"))] == uids[
        -12:
    ]
    assert lines(penstock("tail", "OK", "-n", "0", "--json")) == []


def test_an_unknown_stream_is_a_mistake_with_a_hint(penstock: Penstock) -> None:
    found = penstock("tail", "INN")
    assert found.exit_code == 2
    assert "did you mean 'IN'" in found.stderr


def test_lanes_are_merged_in_the_order_of_their_entries(
    client: Client, tmp_path: Path, penstock: Penstock
) -> None:
    topology_from(WATCHED | {"lanes": 2}, tmp_path)
    for entry_id, key in (("5-0", "OK{0}"), ("6-9", "OK{1}"), ("6-10", "OK{1}"), ("7-0", "OK{0}")):
        send(client, "XADD", key, entry_id, "data", "{}")
    told = lines(penstock("tail", "OK", "-n", "3", "--json"))
    assert [each["uid"] for each in told] == ["OK{1}/6-9", "OK{1}/6-10", "OK{0}/7-0"]


def test_following_misses_nothing_and_repeats_nothing(client: Client, topology: Topology) -> None:
    add(client, "OK", "data", "1")
    places = ends(client, topology, "OK")
    second = add(client, "OK", "data", "2")
    arriving = follow(client, topology, "OK", 0.05, places)
    assert [entry.uid for entry in next(arriving)] == [second]
    assert next(arriving) == []
    third = add(client, "OK", "data", "3")
    assert [entry.uid for entry in next(arriving)] == [third]


def test_following_begins_at_the_end_unless_told_otherwise(
    client: Client, topology: Topology
) -> None:
    add(client, "OK", "data", "1")
    assert next(follow(client, topology, "OK", 0.01)) == []


def test_what_came_since_is_read_page_by_page(client: Client, topology: Topology) -> None:
    before = ends(client, topology, "OK")
    uids = [add(client, "OK", "data", str(number)) for number in range(250)]
    assert [entry.uid for entry in since(client, topology, "OK", before)] == uids
    assert [entry.uid for entry in since(client, topology, "OK", {})] == uids
    assert list(since(client, topology, "OK", ends(client, topology, "OK"))) == []


@pytest.mark.parametrize("verb", [("tail", "FINDINGS"), ("alerts",)])
def test_follow_ends_by_ctrl_c_after_what_arrived(
    verb: tuple[str, ...], client: Client, penstock: Penstock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams import observe

    def arriving(*_: Any) -> Iterator[Any]:
        add(client, "FINDINGS", "data", EVENT)
        yield newest(client, topology_of(penstock), "FINDINGS", 5)
        raise KeyboardInterrupt

    monkeypatch.setattr(observe, "follow", arriving)
    [told] = lines(penstock(*verb, "--follow", "--json"))
    assert told["uid"].startswith("FINDINGS/")


def topology_of(penstock: Penstock) -> Topology:
    return Topology.model_validate(WATCHED)


SAMPLE = {"size": 3, "mean": 1.0, "quantiles": [1.0]}
EVENT = json.dumps(
    {
        "kind": "drift",
        "stream": "OK",
        "key": "pump",
        "field": "flow",
        "detector": "adwin",
        "statistic": "cut",
        "value": 2.0,
        "threshold": 1.0,
        "effect": 1.0,
        "message": "OK/18-0",
        "at_ms": 18,
        "baseline": SAMPLE,
        "current": SAMPLE,
        "severity": "medium",
        "explanation": "the mean went up",
    }
)

# --- alerts ----------------------------------------------------------------------------------


def test_a_drift_in_what_was_published_becomes_an_alert(
    client: Client, topology: Topology, penstock: Penstock, tmp_path: Path
) -> None:
    file = tmp_path / "flow.jsonl"
    file.write_bytes(b"\n".join(each.payload() for each in waterflow()))
    uids = penstock("publish", "IN", str(file)).stdout.split()
    assert len(uids) == 1_268
    with working(client, topology, "gate", "drift"):
        until(lambda: settled_but_lineage(client, topology))
    found = lines(penstock("alerts", "--json"))
    assert {each["field"] for each in found} == {"measurements.flow_l_s"}
    assert {(each["drift"], each["detector"]) for each in found} == {("data", "conformal")}
    assert all(each["e_value"] > 1.0 and each["size"] and each["since"] for each in found)
    assert penstock("alerts").stdout.count("measurements.flow_l_s") >= len(found) >= 1


def settled_but_lineage(client: Client, topology: Topology) -> bool:
    entries = len(all_entries(client, topology, "OK"))
    positions = send(client, "HGET", "penstock:positions:drift", "position:OK")
    last = newest(client, topology, "OK", 1)
    return entries == 1_268 and positions == last[0].id.encode()


def test_alerts_look_further_back_when_the_newest_are_not_wanted(
    client: Client, penstock: Penstock
) -> None:
    add(client, "FINDINGS", "data", EVENT)
    for _ in range(30):
        add(client, "FINDINGS", "data", EVENT.replace("medium", "low"))
    add(client, "FINDINGS", "data", "no event at all")
    found = lines(penstock("alerts", "-n", "2", "--severity", "medium", "--json"))
    assert [each["severity"] for each in found] == ["medium"]


def test_no_alert_so_far_is_said(penstock: Penstock) -> None:
    found = penstock("alerts", "--kind", "drift")
    assert (found.exit_code, found.stdout) == (0, "")
    assert "No such event" in found.stderr


def test_a_kind_that_nobody_looks_for_is_a_mistake(penstock: Penstock) -> None:
    found = penstock("alerts", "--kind", "anomaly")
    assert found.exit_code == 2
    assert "no worker of the kind anomaly" in found.stderr


def test_following_alerts_prints_their_table(
    client: Client, penstock: Penstock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams import observe

    def arriving(*_: Any) -> Iterator[Any]:
        yield []
        add(client, "FINDINGS", "data", EVENT)
        yield newest(client, topology_of(penstock), "FINDINGS", 5)
        raise KeyboardInterrupt

    monkeypatch.setattr(observe, "follow", arriving)
    found = penstock("alerts", "-f")
    assert found.exit_code == 0
    assert "the mean went up" in found.stdout


# --- publish ---------------------------------------------------------------------------------


def test_publishing_twice_with_an_id_yields_one_message(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    call = ("publish", "IN", "--data", GOOD, "--id", "m-1", "--source", "me", "--subject", "s1")
    [first], [again] = lines(penstock(*call, "--json")), lines(penstock(*call, "--json"))
    assert again == {"uid": first["uid"], "duplicate": True}
    assert "(published before)" in penstock(*call).stdout
    entry = find(client, first["uid"])
    assert entry is not None
    assert (entry.get(b"source"), entry.get(b"subject")) == (b"me", b"s1")


def test_lines_come_from_standard_input_and_blank_ones_are_left_out(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    found = penstock("publish", "IN", "-", stdin=b"{}\n\n \n[1]\n\xff\n")
    assert len(found.stdout.splitlines()) == 3
    assert [e.get(b"data") for e in all_entries(client, topology, "IN")] == [b"{}", b"[1]", b"\xff"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["OK", "--data", "{}"], "the sources are IN"),
        (["INN", "--data", "{}"], "did you mean 'IN'"),
        (["IN"], "give the messages once"),
        (["IN", "-", "--data", "{}"], "give the messages once"),
        (["IN", "-", "--id", "m-1"], "goes with --data"),
    ],
)
def test_a_mistaken_publish_is_answered(
    arguments: list[str], said: str, penstock: Penstock
) -> None:
    found = penstock("publish", *arguments, stdin="")
    assert found.exit_code == 2
    assert said in " ".join(found.stderr.replace("│", " ").split())


def test_a_line_that_is_too_large_is_named_and_a_missing_file_too(
    penstock: Penstock, tmp_path: Path
) -> None:
    found = penstock("publish", "IN", "-", stdin="{}\n" + "x" * 2_000_000)
    assert found.exit_code == 1
    assert "nothing was published of line 1 to 2" in found.stderr
    assert penstock("publish", "IN", str(tmp_path / "none.jsonl")).exit_code == 1


def test_progress_is_shown_only_after_a_while(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from supervisor.commands import publish

    quick = publish.Progress(shown=True)
    quick.add(5)
    quick.end()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(publish, "SILENT_S", 0.0)
    slow = publish.Progress(shown=True)
    slow.add(5_000)
    slow.end()
    assert "5,000 published" in capsys.readouterr().err


# --- quarantine ------------------------------------------------------------------------------


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
    dropped = lines(penstock("quarantine", "drop", "--all", "--rule", "missing_data", "--json"))
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
    found = penstock("quarantine", "drop", rejected[0], "BAD/1-1", rejected[2])
    assert found.exit_code == 1
    assert "BAD/1-1" in found.stderr
    assert found.stdout.count("dropped") == 2
    assert (
        "There is no such message"
        in penstock("quarantine", "drop", "--all", "--rule", "none").stderr
    )


def test_drop_asks_on_a_terminal(
    rejected: list[str], penstock: Penstock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supervisor.commands import quarantine

    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    class System:
        stdin = Terminal()

    monkeypatch.setattr(quarantine, "sys", System())
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
    assert penstock("quarantine", "drop", uid).exit_code == 0


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


# --- lineage ---------------------------------------------------------------------------------


def test_a_stream_alone_names_its_newest_message_and_both_directions_are_traced(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    published = penstock("publish", "IN", "--data", GOOD, "--source", "me").stdout.strip()
    with working(client, topology, "gate", "drift", "sink"):
        until(lambda: settled(client, topology) and all_entries(client, topology, "OK"))
    up = penstock("lineage", "trace", "OK").stdout.splitlines()
    assert up[0].startswith(f"{published}  published by me")
    assert "made by gate (gate " in up[1]
    assert "as schemas:L3EventSchema@1.0" in up[1]
    assert penstock("lineage", "trace", published, "--down").stdout.splitlines()[1] == up[1]
    [told] = lines(penstock("lineage", "trace", "OK", "--json"))
    assert [step["worker"] for step in told["steps"]] == [None, "gate"]


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ("OK/1-1", 8, "no lineage record mentions 'OK/1-1'"),
        ("OK", 8, "has no message so far"),
        ("OK/x", 2, "is no uid"),
        ("BADD", 2, "did you mean 'BAD'"),
    ],
)
def test_a_message_that_is_not_known_is_told_of(
    message: str, code: int, said: str, penstock: Penstock
) -> None:
    found = penstock("lineage", "trace", message)
    assert found.exit_code == code
    assert said in found.stderr
