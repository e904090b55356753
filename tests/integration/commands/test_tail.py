"""``penstock tail`` and what it stands on: the newest entries of a stream, and those that come."""

import json
from pathlib import Path
from typing import Any

from schemas.topology import Topology
from streams.connection import Client, send
from streams.observe import ends, follow, since
from tests.servers.command import Penstock, add, lines
from tests.servers.pipeline import all_entries, reading, topology_from, until, working

GOOD = reading().decode()


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
    assert told["fields"]["data"] == json.loads(GOOD)
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
    client: Client, tree: dict[str, Any], tmp_path: Path, penstock: Penstock
) -> None:
    topology_from(tree | {"lanes": 2}, tmp_path)
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
