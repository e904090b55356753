"""Certificates made on the spot with ``openssl``, and a redis-server that speaks TLS only."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.connection import connect, wait_for
from tests.servers.ports import free_port
from tests.servers.stream_server import binary_of

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def _openssl(directory: Path, *arguments: str) -> None:
    if shutil.which("openssl") is None:
        said = "openssl is not installed: apt-get install openssl"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def make_authority(directory: Path, name: str) -> None:
    """``NAME.crt`` and ``NAME.key`` of an authority that others are to trust."""
    out = ("-keyout", f"{name}.key", "-out", f"{name}.crt")
    _openssl(directory, "req", "-x509", *_KEY, *out, "-subj", f"/CN={name}")


def make_certificate(directory: Path, name: str, authority: str) -> None:
    """``NAME.crt`` and ``NAME.key`` for 127.0.0.1, signed by an authority."""
    out = ("-keyout", f"{name}.key", "-out", f"{name}.crt")
    signed = ("-CA", f"{authority}.crt", "-CAkey", f"{authority}.key")
    names = ("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
    _openssl(directory, "req", "-x509", *_KEY, *out, *signed, *names)


@dataclass(frozen=True)
class TlsServer:
    """A server that is reached by TLS only, and the folder with everybody's certificates."""

    port: int
    files: Path

    def url(self, **settings: str) -> str:
        """A URL whose settings name files of the folder."""
        query = "&".join(f"{name}={self.files / file}" for name, file in settings.items())
        return f"rediss://127.0.0.1:{self.port}/0?{query}"


@contextmanager
def speaking_tls() -> Iterator[TlsServer]:
    """A server that trusts the clients of ``ours`` and wants a certificate of each."""
    binary = binary_of("redis")
    with tempfile.TemporaryDirectory(prefix="penstock-test-") as directory:
        files, port = Path(directory), free_port()
        make_authority(files, "ours")
        make_authority(files, "theirs")
        for name, authority in (("server", "ours"), ("client", "ours"), ("stranger", "theirs")):
            make_certificate(files, name, authority)
        process = subprocess.Popen(
            [
                binary, "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1",
                "--tls-cert-file", "server.crt", "--tls-key-file", "server.key",
                "--tls-ca-cert-file", "ours.crt", "--tls-auth-clients", "yes",
                "--dir", directory, "--save", "", "--logfile", "server.log",
            ],
            cwd=directory,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        server = TlsServer(port, files)
        try:
            with connect(server.url(**WELCOME)) as client:
                wait_for(client, 20.0)
            yield server
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(20)


WELCOME = {
    "ssl_ca_certs": "ours.crt",
    "ssl_certfile": "client.crt",
    "ssl_keyfile": "client.key",
}
"""The settings with which a client is served."""
