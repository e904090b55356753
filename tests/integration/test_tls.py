"""TLS to the stream server, certificates on both sides; what is wrong with them is said at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.connection import connect, send
from streams.errors import ServerRefused, StreamsError
from streams.publish import Outgoing, Publisher
from tests.servers.pipeline import (
    SMALL,
    all_entries,
    data_of,
    readings,
    settled,
    start_worker,
    topology_from,
    until,
    working,
)
from tests.servers.tls import WELCOME, TlsServer, speaking_tls


@pytest.fixture(scope="module")
def tls() -> Iterator[TlsServer]:
    with speaking_tls() as server:
        yield server


def test_a_pipeline_runs_over_tls(tls: TlsServer, tmp_path: Path) -> None:
    topology, payloads = topology_from(SMALL, tmp_path), readings(300)
    with connect(tls.url(**WELCOME)) as client, working(client, topology, "gate"):
        Publisher(client).publish_batch("IN", [Outgoing(data) for data in payloads])
        until(lambda: settled(client, topology))
        assert data_of(all_entries(client, topology, "OK")) == payloads


@pytest.mark.parametrize(
    "settings",
    [
        {**WELCOME, "ssl_ca_certs": "theirs.crt"},
        {name: file for name, file in WELCOME.items() if name != "ssl_ca_certs"},
        {**WELCOME, "ssl_keyfile": "stranger.key"},
    ],
    ids=["another authority", "none", "another's key"],
)
def test_a_certificate_that_does_not_fit_is_refused_rather_than_waited_for(
    tls: TlsServer, tmp_path: Path, settings: dict[str, str]
) -> None:
    with connect(tls.url(**settings)) as client:
        worker = start_worker(client, topology_from(SMALL, tmp_path), "gate")
        worker.thread.join(10)
        (error,) = worker.errors
        worker.errors.clear()
        worker.stop()
    assert isinstance(error, ServerRefused)
    assert "no TLS connection can be made" in str(error)


@pytest.mark.parametrize(
    "settings",
    [
        {"ssl_ca_certs": "ours.crt"},
        {"ssl_ca_certs": "ours.crt", "ssl_certfile": "stranger.crt", "ssl_keyfile": "stranger.key"},
    ],
    ids=["none", "a stranger's"],
)
def test_a_client_whose_certificate_the_server_does_not_trust_is_refused(
    tls: TlsServer, settings: dict[str, str]
) -> None:
    def refused() -> bool:  # the server may hang up before its reason has been read
        with connect(tls.url(**settings)) as client, pytest.raises(StreamsError) as caught:
            send(client, "PING")
        return caught.type is ServerRefused

    until(refused)


def test_a_certificate_that_is_not_there_is_named(tls: TlsServer) -> None:
    with pytest.raises(ServerRefused, match=r"ssl_ca_certs .*nowhere\.crt cannot be read: No such"):
        connect(tls.url(ssl_ca_certs="nowhere.crt"))


def test_who_speaks_no_tls_learns_nothing(tls: TlsServer) -> None:
    with connect(f"redis://127.0.0.1:{tls.port}/0") as client, pytest.raises(StreamsError):
        send(client, "PING")
