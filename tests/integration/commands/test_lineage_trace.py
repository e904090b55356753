"""``penstock lineage trace``: where a message came from, and what was made of it."""

import pytest

from schemas.topology import Topology
from streams.connection import Client
from tests.servers.command import Penstock, lines
from tests.servers.pipeline import all_entries, reading, settled, until, working

GOOD = reading().decode()


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
        ("OK", 8, "the stream 'OK' retains no message; name one by its uid, OK/ENTRY-ID"),
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
