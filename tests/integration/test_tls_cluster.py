"""A cluster that speaks TLS only, and lets each role do its own job alone."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from schemas.topology import Topology
from streams.acl import roles
from streams.connection import Client, connect, send
from streams.errors import ServerRefused
from streams.keys import Lane
from streams.publish import Outgoing, Publisher
from tests.servers.cluster import form
from tests.servers.pipeline import (
    SMALL,
    reading,
    settled,
    start_worker,
    topology_from,
    until,
)
from tests.servers.ports import free_port
from tests.servers.stream_server import StreamServer, binary_of
from tests.servers.tls import WELCOME, make_authority, make_certificate

LANES = 4
SECRET = "test-secret"
_SPEAKING = (
    "--port", "0", "--tls-replication", "yes", "--tls-cluster", "yes", "--tls-auth-clients", "yes",
    "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--hz", "100",
)  # fmt: skip


@dataclass
class TlsNode(StreamServer):
    """A node whose URL names the certificates of a folder."""

    files: Path = Path()

    @property
    def url(self) -> str:
        return f"rediss://127.0.0.1:{self.port}/0?{query(self.files)}"


def query(files: Path) -> str:
    """The settings with which a client is served."""
    return "&".join(f"{name}={files / file}" for name, file in WELCOME.items())


def start(stack: ExitStack, files: Path) -> TlsNode:
    """A node that waits for its slots."""
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-test-")))
    node = TlsNode(binary_of("redis"), directory, free_port(), files=files)
    node.extra = (
        *_SPEAKING, "--tls-port", str(node.port),
        "--tls-cert-file", str(files / "server.crt"), "--tls-key-file", str(files / "server.key"),
        "--tls-ca-cert-file", str(files / "ours.crt"),
    )  # fmt: skip
    node.start()
    stack.callback(node.kill)
    return node


@pytest.fixture(scope="module")
def nodes() -> Iterator[Sequence[TlsNode]]:
    with tempfile.TemporaryDirectory(prefix="penstock-test-") as directory, ExitStack() as stack:
        files = Path(directory)
        make_authority(files, "ours")
        for name in ("server", "client"):
            make_certificate(files, name, "ours")
        found = [start(stack, files) for _ in range(3)]
        form(found)
        yield found


@contextmanager
def acting(nodes: Sequence[TlsNode], user: str, secret: str = SECRET) -> Iterator[Client]:
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    url = f"rediss+cluster://{user}:{secret}@{hosts}?{query(nodes[0].files)}"
    with connect(url) as client:
        yield client


@pytest.fixture
def topology(nodes: Sequence[TlsNode], tmp_path: Path) -> Topology:
    """Two workers over four lanes, for whose roles every node has users."""
    workers = {"gate": SMALL["workers"]["gate"]}
    found = topology_from({**SMALL, "workers": workers, "lanes": LANES}, tmp_path)
    for node in nodes:
        with node.client() as client:
            send(client, "ACL SETUSER", "ops", "on", f">{SECRET}", "~*", "&*", "+@all")
            for role in roles(found):
                send(client, "ACL SETUSER", role.user, *role.rules(f">{SECRET}"))
            send(client, "ACL LOG", "RESET")
    return found


def accepted(client: Client, lane: Lane) -> list[bytes]:
    """The payloads that a lane's gate let through."""
    return [fields[1] for _, fields in send(client, "XRANGE", lane.stream("OK"), "-", "+")]


def test_a_gate_does_its_whole_job_on_every_lane(
    nodes: Sequence[TlsNode], topology: Topology
) -> None:
    payloads = [reading(f"s{n}", x=float(n)) for n in range(200)]
    with ExitStack() as stack:
        publisher, gate, ops = (
            stack.enter_context(acting(nodes, user))
            for user in ("publisher-IN", "penstock-gate", "ops")
        )
        Publisher.of(publisher, topology).publish_batch(
            "IN", [Outgoing(data, subject=f"s{n}") for n, data in enumerate(payloads)]
        )
        for lane in range(LANES):
            worker = start_worker(gate, topology, "gate", lane=Lane(lane, LANES))
            stack.callback(worker.stop)
        until(lambda: settled(ops, topology))
        found = [accepted(ops, Lane(lane, LANES)) for lane in range(LANES)]
    assert all(found), "every lane had its part"
    assert sorted(data for part in found for data in part) == sorted(payloads)
    for node in nodes:
        with node.client() as client:
            assert send(client, "ACL LOG") == []


def test_a_wrong_password_is_refused_rather_than_waited_for(
    nodes: Sequence[TlsNode], topology: Topology
) -> None:
    with acting(nodes, "penstock-gate", "wrong") as client, pytest.raises(ServerRefused) as caught:
        send(client, "XLEN", Lane(0, LANES).stream("OK"))
    assert "wrong" not in str(caught.value)
    assert "credentials" in str(caught.value)
