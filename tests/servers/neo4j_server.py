"""A real Neo4j Community for the tests: jars from Maven, a process of its own, gone afterwards.

Maven resolves the jars once into ``neo4j/lib`` (ignored by git; nothing of Neo4j, which is GPLv3,
is shipped or linked). Each run of the tests starts a server on a free loopback port with a
generated password and a home in a temporary folder, and stops it by its process id.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from neo4j import Driver, GraphDatabase
from neo4j.exceptions import DriverError, Neo4jError

from tests.servers.ports import free_port

HERE = Path(__file__).parent / "neo4j"
LIB = HERE / "lib"
MAIN = "org.neo4j.server.CommunityEntryPoint"
RESOLVE_S = 540
START_S = 90
FIRST_PASSWORD = "neo4j"

CONFIG = """\
server.bolt.enabled=true
server.bolt.listen_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=128m
dbms.usage_report.enabled=false
dbms.security.auth_minimum_password_length=8
"""
JAVA = (
    "-Xms384m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-Dlog4j2.disable.jmx=true",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
)
BRISK = ("-XX:TieredStopAtLevel=1",)
"""For a server of a minute, whose code is not worth the processor time of optimizing it."""

T = TypeVar("T")


class Neo4jUnavailableError(Exception):
    """The server can't be had here; says why."""


def resolve_jars() -> None:
    """Let Maven copy the jars of the pom to ``lib``, unless they are there already."""
    LIB.mkdir(exist_ok=True)
    stamp = LIB / "RESOLVED"
    wanted = hashlib.sha256((HERE / "pom.xml").read_bytes()).hexdigest()
    with (LIB / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        for jar in LIB.glob("*.jar"):
            jar.unlink()
        _run_maven()
        stamp.write_text(wanted)


def _run_maven() -> None:
    if shutil.which("mvn") is None:
        raise Neo4jUnavailableError("no mvn to resolve Neo4j with")
    command = ["mvn", "-B", "-q", "dependency:copy-dependencies"]
    try:
        subprocess.run(
            command, cwd=HERE, check=True, timeout=RESOLVE_S, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired as error:
        raise Neo4jUnavailableError(f"mvn was not done after {RESOLVE_S} s") from error
    except subprocess.CalledProcessError as error:
        raise Neo4jUnavailableError(f"mvn could not resolve Neo4j: {error.stdout}") from error


class Neo4jServer:
    """A server that may be killed, and started again with what it had committed."""

    def __init__(self, home: Path, java: Sequence[str] = ()) -> None:
        self._home = home
        self._java = java
        self._port = free_port()
        self._address = f"bolt://127.0.0.1:{self._port}"
        self._password = secrets.token_hex(8)
        self._process = _start(home, self._port, java)
        try:
            change = f"ALTER CURRENT USER SET PASSWORD FROM '{FIRST_PASSWORD}' TO $password"
            self._wait(FIRST_PASSWORD, change, {"password": self._password})
        except BaseException:
            self.kill()
            raise

    @property
    def uri(self) -> str:
        """Its URI, with user and password in it."""
        return f"bolt://neo4j:{self._password}@127.0.0.1:{self._port}"

    def kill(self) -> None:
        """Kill it: a goodbye takes Neo4j five seconds, and what is committed is on disk."""
        self._process.kill()
        self._process.wait()

    def start(self) -> None:
        """Start it anew, and wait until it answers."""
        self._process = _start(self._home, self._port, self._java)
        self._wait(self._password, "SHOW CURRENT USER", {})

    def _wait(self, password: str, statement: str, parameters: dict[str, str]) -> None:
        deadline = time.monotonic() + START_S
        with GraphDatabase.driver(self._address, auth=("neo4j", password)) as driver:
            while not _answers(driver, statement, parameters):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self._home / "console.log").read_text()
                    raise Neo4jUnavailableError(f"Neo4j did not start: {log[-2000:]}")
                time.sleep(0.1)  # nothing to wait on: the port opens before the server answers


@contextmanager
def own_neo4j(java: Sequence[str] = ()) -> Iterator[Neo4jServer]:
    """Start a server that the caller may kill, with further options of Java; stop it afterwards."""
    if shutil.which("java") is None:
        raise Neo4jUnavailableError("no java to run Neo4j with")
    resolve_jars()
    with tempfile.TemporaryDirectory(prefix="penstock-neo4j-") as folder:
        server = Neo4jServer(Path(folder), java)
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def running_neo4j(java: Sequence[str] = ()) -> Iterator[str]:
    """Start a server and give its URI, with user and password in it; stop it afterwards."""
    with own_neo4j(java) as server:
        yield server.uri


def _start(home: Path, port: int, java: Sequence[str]) -> subprocess.Popen[bytes]:
    conf = home / "conf"
    conf.mkdir(exist_ok=True)
    (conf / "neo4j.conf").write_text(CONFIG.format(port=port))
    where = (f"--home-dir={home}", f"--config-dir={conf}", "--console-mode")
    command = ["java", *JAVA, *java, "-cp", f"{conf}:{LIB}/*", MAIN, *where]
    with (home / "console.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def _answers(driver: Driver, statement: str, parameters: dict[str, str]) -> bool:
    try:
        with driver.session(database="system") as session:
            session.run(statement, parameters).consume()
    except (DriverError, Neo4jError):
        return False
    return True


@pytest.fixture(scope="session")
def neo4j_uri() -> Iterator[str]:
    """The Bolt URI of an empty Neo4j 5, credentials included, as ``open_store`` takes it.

    ``PENSTOCK_TEST_NEO4J_URI`` names a server to use instead; **its graph is deleted**. Where no
    server can be had, a test that asks for this skips, and fails when ``CI`` is ``true``. The
    first test that asks for it may have to wait for Maven: mark it ``timeout(600)``.
    """
    if given := os.environ.get("PENSTOCK_TEST_NEO4J_URI"):
        yield given
        return
    with _or_skipped(running_neo4j(BRISK)) as uri:
        yield uri


@pytest.fixture
def neo4j_server() -> Iterator[Neo4jServer]:
    """A Neo4j 5 of the test's own, which it may kill; skips and fails as ``neo4j_uri`` does."""
    with _or_skipped(own_neo4j(BRISK)) as server:
        yield server


@contextmanager
def _or_skipped(server: AbstractContextManager[T]) -> Iterator[T]:
    try:
        with server as found:
            yield found
    except Neo4jUnavailableError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no Neo4j for the tests: {error}")
        pytest.skip(f"no Neo4j for the tests: {error}")
