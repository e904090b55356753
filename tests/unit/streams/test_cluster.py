"""A cluster's client: where a command goes, what is followed, and what is never repeated."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis, SSLConnection, exceptions
from redis.crc import key_slot

from streams.cluster import ClusterClient, check_lanes, seeds_of, slot_of, together
from streams.connection import connect, safe_url
from streams.errors import ServerRefused, StreamsError
from streams.keys import Lane

URL = "redis+cluster://user:secret@a:7000,b:7001"
KEY = "L3{0}"
SLOT = key_slot(KEY.encode())


@pytest.fixture
def client() -> ClusterClient:
    """A client that believes that a serves everything."""
    client = connect(URL)
    assert isinstance(client, ClusterClient)
    client._owners = [("a", 7000)] * 16384
    return client


def asked(answers: dict[str, Any]) -> tuple[list[tuple[str, bool]], Callable[[Redis, bool], Any]]:
    """What nodes answer, by host; and a note of who was asked, and whether after ASKING."""
    seen: list[tuple[str, bool]] = []

    def ask(node: Redis, asking: bool) -> Any:
        host = node.get_connection_kwargs()["host"]
        seen.append((host, asking))
        answer = answers[host]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return seen, ask


def test_a_moved_slot_is_followed_and_remembered(client: ClusterClient) -> None:
    seen, ask = asked({"a": exceptions.MovedError(f"{SLOT} b:7001"), "b": 7})
    assert [client.redirected(("XLEN", KEY), ask) for _ in range(2)] == [7, 7]
    assert seen == [("a", False), ("b", False), ("b", False)]


def test_a_slot_on_its_way_is_asked_for_once_and_not_remembered(client: ClusterClient) -> None:
    seen, ask = asked({"a": exceptions.AskError(f"{SLOT} b:7001"), "b": 7})
    assert [client.redirected(("XLEN", KEY), ask) for _ in range(2)] == [7, 7]
    assert seen == [("a", False), ("b", True)] * 2


def test_an_empty_host_is_the_one_that_answered(client: ClusterClient) -> None:
    error = exceptions.MovedError(f"{SLOT} :7009")
    seen, ask = asked({"a": error})
    with pytest.raises(exceptions.ConnectionError, match="circle"):
        client.redirected(("XLEN", KEY), ask)
    assert set(seen) == {("a", False)}
    assert client._owners[SLOT] == ("a", 7009)


@pytest.mark.parametrize("error", [exceptions.ConnectionError(), exceptions.TimeoutError()])
def test_what_may_have_been_done_is_not_done_again(client: ClusterClient, error: Exception) -> None:
    seen, ask = asked({"a": error, "b": error})
    with pytest.raises(type(error)):
        client.redirected(("XREADGROUP", "GROUP", "g", "c", "STREAMS", KEY, ">"), ask)
    assert seen == [("a", False)]
    assert client._owners == []  # who serves what is asked before the next command


@given(st.text("abcXYZ09_", min_size=1, max_size=9), st.integers(2, 64))
def test_all_that_a_lane_touches_lies_in_one_slot(name: str, lanes: int) -> None:
    lane = Lane(lanes - 1, lanes)
    stream = lane.stream(name)
    keys = [
        stream, lane.lease("g", name), lane.epoch, lane.counters, lane.checkpoint("g"),
        lane.positions("g"), lane.seen(stream, "an id with {braces} of its own"),
    ]  # fmt: skip
    assert len({key_slot(key.encode()) for key in keys}) == 1


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("EVALSHA", "digest", 2, KEY, "OK{0}", "x"), KEY),
        (("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", KEY, ">"), KEY),
        (("XINFO STREAM", KEY), KEY),
        (("XADD", b"L3{0}", "*"), KEY),
        (("EVAL", "return 1", 0), None),
        (("INFO", "server"), None),
        (("CLUSTER SLOTS",), None),
        (("DBSIZE",), None),
    ],
)
def test_a_command_belongs_to_the_slot_of_its_first_key(
    command: tuple[Any, ...], key: str | None
) -> None:
    assert slot_of(command) == (None if key is None else key_slot(key.encode()))


def test_one_command_names_the_keys_of_one_slot_only(client: ClusterClient) -> None:
    keys = ["L3{0}", "L3{1}", "L4{0}"]
    assert together(client, keys) == [["L3{0}", "L4{0}"], ["L3{1}"]]
    assert together(connect("redis://a"), keys) == [keys]


def test_one_lane_on_a_cluster_is_refused(client: ClusterClient) -> None:
    check_lanes(client, 2)
    check_lanes(connect("redis://a"), 1)
    with pytest.raises(ServerRefused, match="set 'lanes' to 2 or more"):
        check_lanes(client, 1)


def test_every_node_is_reached_with_the_settings_of_the_url() -> None:
    client = connect("rediss+cluster://user:secret@a:7000?ssl_cert_reqs=required")
    assert isinstance(client, ClusterClient)
    pool = client._node(("b", 7001)).connection_pool
    assert issubclass(pool.connection_class, SSLConnection)
    assert pool.connection_kwargs["password"] == "secret"
    assert (pool.connection_kwargs["host"], pool.connection_kwargs["port"]) == ("b", 7001)
    assert seeds_of("rediss+cluster://a:1?x=y") == ["rediss://a:1?x=y"]
    assert "secret" not in safe_url(URL)


def test_a_pipeline_is_refused(client: ClusterClient) -> None:
    with pytest.raises(StreamsError, match="use a script"):
        client.pipeline()
