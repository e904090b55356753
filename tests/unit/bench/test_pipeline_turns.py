"""The loops that are timed do their whole job, and a rival that does not is found out."""

import pytest

from bench.pipeline.ours import CONTENDERS
from bench.pipeline.turns import Bare, NotDone, manned, take_turns, verify
from schemas.topology_file import load_topology
from streams.connection import Client, send
from streams.publish import Outgoing, Publisher
from tests.servers.processes import ROOT

TOPOLOGY = load_topology(ROOT / "streams.yaml")


@pytest.mark.parametrize("name", CONTENDERS)
def test_every_loop_settles_all_messages(valkey_client: Client, name: str) -> None:
    split = CONTENDERS[name].run(valkey_client, TOPOLOGY, 600)
    assert min(split.read_s, split.handle_s, split.commit_s) > 0
    assert CONTENDERS[name].time_s(valkey_client, TOPOLOGY, 600) > 0


def test_a_loop_that_stops_early_is_found_out(valkey_client: Client) -> None:
    Publisher(valkey_client).publish_batch("L3_IN", [Outgoing(b"{}")] * 3)
    station = manned(valkey_client, TOPOLOGY, "gate")
    take_turns(station, Bare("L3"), 1, batch=2)
    with pytest.raises(NotDone, match="unread"):
        verify(valkey_client, "L3_IN", "gate", "L3", 3)
    station.reader.read(1, 0.1)
    with pytest.raises(NotDone, match="1 entries of L3_IN pending"):
        verify(valkey_client, "L3_IN", "gate", "L3", 3)


def test_a_loop_that_forwards_too_little_is_found_out(valkey_client: Client) -> None:
    send(valkey_client, "XGROUP CREATE", "IN", "gate", "0", "MKSTREAM")
    with pytest.raises(NotDone, match="0 of 5 messages on OK"):
        verify(valkey_client, "IN", "gate", "OK", 5)
