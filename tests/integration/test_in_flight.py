"""Commands on their way: their replies are theirs, whatever happens in between."""

import pytest

from streams.connection import Client, send
from streams.errors import GroupMissing, ServerAway, StreamsError
from streams.in_flight import InFlight
from streams.scripts import Running
from tests.servers.stream_server import StreamServer


def test_replies_come_to_whom_they_belong_in_any_order(client: Client) -> None:
    sent = [InFlight(client, "ECHO", str(number)) for number in range(5)]
    assert send(client, "ECHO", "between") == b"between"
    assert [each.reply() for each in reversed(sent)] == [b"4", b"3", b"2", b"1", b"0"]


def test_a_reply_that_is_given_up_is_nobody_elses(client: Client) -> None:
    InFlight(client, "ECHO", "given up").drop()
    assert [send(client, "ECHO", word) for word in ("a", "b")] == [b"a", b"b"]
    connections = client.connection_pool
    assert len(connections._in_use_connections) == 0


def test_an_error_is_the_commands_own_and_its_connection_goes_on(client: Client) -> None:
    sent = InFlight(client, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "nowhere", ">")
    with pytest.raises(GroupMissing):
        sent.reply()
    with pytest.raises(StreamsError):
        InFlight(client, "NOSUCHCOMMAND").reply()
    assert send(client, "ECHO", "a") == b"a"


def test_a_script_that_the_server_forgot_meanwhile_is_sent_whole(client: Client) -> None:
    send(client, "SCRIPT FLUSH")
    args = ["acquire", 1000, "me"]
    assert Running(client, "lease", ["lease", "epoch"], args).reply() == b"1:me"


def test_a_server_that_is_gone_is_told_when_sending_or_when_waiting(
    valkey_server: StreamServer,
) -> None:
    with valkey_server.client() as client:
        waiting = InFlight(client, "XREAD", "BLOCK", 0, "STREAMS", "s", "$")
        for connection in client.connection_pool._in_use_connections:
            connection._sock.shutdown(2)
        with pytest.raises(ServerAway):
            waiting.reply()
        assert send(client, "PING") in (b"PONG", True)
