"""A TCP proxy before a stream server that makes faults: cuts replies short, answers with errors.

It understands the protocol just enough to tell commands apart, and counts them, so that a test can
say how often a worker tried.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from hiredis import Reader


@dataclass(frozen=True)
class Cut:
    """The reply to a command is cut off after so many bytes, and so is the connection."""

    after_bytes: int


@dataclass(frozen=True)
class Answer:
    """The command never reaches the server; this is the answer, without the leading ``-``."""

    error: str


Fault = Cut | Answer | None
Plan = Callable[[list[bytes]], Fault]


def no_fault(_: list[bytes]) -> Fault:
    return None


class Proxy:
    """Listens on a loopback port of its own; ``plan`` says what becomes of each command."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.port = int(self._listener.getsockname()[1])
        self.plan: Plan = no_fault
        self.seen: list[tuple[float, bytes]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def once(self, named: bytes, fault: Fault) -> threading.Event:
        """Let the next command that contains ``named`` meet a fault; set once it did."""
        met = threading.Event()

        def plan(command: list[bytes]) -> Fault:
            if met.is_set() or not any(named in part for part in command):
                return None
            met.set()
            return fault

        self.plan = plan
        return met

    def close(self) -> None:
        for each in [self._listener, *self._open]:
            _hang_up(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                _hang_up(client)
                continue
            self._open |= {client, server}
            link = _Link(self, client, server)
            for pump in (link.requests, link.replies):
                threading.Thread(target=pump, daemon=True).start()


class _Link:
    """One connection of a client, and ours to the server on its behalf."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._left: int | None = None

    def requests(self) -> None:
        reader = Reader()
        with suppress(OSError):
            while received := self._client.recv(65536):
                reader.feed(received)
                while (command := reader.gets()) is not False:
                    self._forward(command)
        self._close()

    def _forward(self, command: list[bytes]) -> None:
        self._proxy.seen.append((time.monotonic(), command[0].upper()))
        fault = self._proxy.plan(command)
        if isinstance(fault, Answer):
            self._client.sendall(f"-{fault.error}\r\n".encode())
            return
        if isinstance(fault, Cut):
            self._left = fault.after_bytes
        parts = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in command)
        self._server.sendall(b"*%d\r\n%s" % (len(command), parts))

    def replies(self) -> None:
        with suppress(OSError):
            while received := self._server.recv(65536):
                self._client.sendall(received[: self._left])
                if self._left is not None:
                    self._left -= len(received)
                    if self._left <= 0:
                        break
        self._close()

    def _close(self) -> None:
        _hang_up(self._client)
        _hang_up(self._server)


def _hang_up(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    """A proxy before the server on ``port`` while the block lasts."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
