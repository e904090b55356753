"""A failover to a replica, by way of Sentinel: what was replicated is neither lost nor doubled."""

from pathlib import Path

import pytest

from streams.connection import connect, send
from streams.errors import ServerAway
from tests.servers.pipeline import readings, until
from tests.servers.sentinel import Watched, watched
from tests.servers.stage import PAYLOADS, WORKERS, on_stage, undisturbed_events


def in_sync(house: Watched) -> bool:
    """Whether the replica has all that the master took so far."""
    with house.master().client() as client:
        send(client, "SET", "a write", "to wait for")
        return bool(send(client, "WAIT", 1, 1000) == 1)


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_a_failover_is_followed_and_loses_nothing_that_was_replicated(
    kind: str, tmp_path: Path
) -> None:
    with watched(kind) as house, on_stage(house.url, tmp_path) as stage:
        stage.feed(PAYLOADS)
        for name in WORKERS:
            stage.start(name)
        stage.until_half_way()
        until(lambda: in_sync(house))
        old = house.master()
        old.kill()
        stage.go_on.set()
        until(lambda: not stage.ready, what="that readyz is false")
        until(lambda: house.master() is not old, what="the failover")
        stage.until_settled()
        late = readings(40, seed=8)
        stage.feed_gate(late, "late")
        stage.until_settled()
        stage.stop()
        stage.url = house.master().url  # a sentinel that is short of time calls a master down
        assert sorted(stage.found("OK")) == sorted(PAYLOADS + late)
        assert stage.found("EVENTS") == undisturbed_events()
        assert stage.lines("server_away") == dict.fromkeys(WORKERS, 1)
        assert stage.lines("server_back") == dict.fromkeys(WORKERS, 1)


def test_sentinels_that_do_not_know_the_service_are_told_of() -> None:
    url = "redis+sentinel://127.0.0.1:1,127.0.0.1:2/nobody"
    with connect(url) as client, pytest.raises(ServerAway, match="No master found for 'nobody'"):
        send(client, "PING")
