"""The publisher: numbered messages at a rate, until told to stop; it knows what it was told."""

import threading
from collections.abc import Callable

from streams.connection import Client, send
from streams.errors import ServerAway
from streams.publish import Outgoing, Publisher
from tests.servers.stream_server import StreamServer

Send = Callable[[Client, range], None]
"""Publishes the messages of these numbers; returns when the server has acknowledged them all."""

_CHUNK = 10


def mixed_and_fed(payload: Callable[[int], bytes], fed: Callable[[int], bytes]) -> Send:
    """To IN what the gate judges; to FED entries with the same ids in every run."""

    def publish(client: Client, chunk: range) -> None:
        feed(client, chunk, fed)
        Publisher(client).publish_batch("IN", [Outgoing(payload(n)) for n in chunk])

    return publish


def feed(client: Client, chunk: range, fed: Callable[[int], bytes]) -> None:
    """Entries of FED whose ids follow from their numbers."""
    pipe = client.pipeline(transaction=False)
    for n in chunk:
        pipe.execute_command("XADD", "FED", f"{1000 + n}-0", "data", fed(n))  # type: ignore[no-untyped-call]
    pipe.execute()


def with_ids(payload: Callable[[int], bytes]) -> Send:
    """To IN, each message with an id, so that it may be published again after any doubt."""

    def publish(client: Client, chunk: range) -> None:
        messages = [Outgoing(payload(n), id=f"m{n}") for n in chunk]
        Publisher(client).publish_batch("IN", messages)

    return publish


class Producer:
    """Publishes ever more messages from a thread while the block lasts.

    A chunk that the server did not acknowledge is published again until it does, so the messages
    that were acknowledged are those from 0 to ``told``.
    """

    def __init__(self, server: StreamServer, publish: Send, rate_per_s: float) -> None:
        self.told = 0
        self._client = server.client()
        self._publish = publish
        self._pause_s = _CHUNK / rate_per_s
        self._enough = threading.Event()
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Producer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join(60)
        self._client.close()
        if self._errors:
            raise self._errors[0]

    def _run(self) -> None:
        try:
            while not self._enough.wait(self._pause_s):
                self._insist(range(self.told, self.told + _CHUNK))
                self.told += _CHUNK
        except BaseException as error:  # noqa: BLE001 - raised again where the block ends
            self._errors.append(error)

    def _insist(self, chunk: range) -> None:
        pause = threading.Event()
        while True:
            try:
                return self._publish(self._client, chunk)
            except ServerAway:
                pause.wait(0.02)


def length(client: Client, key: str) -> int:
    """Entries of a stream now."""
    found: int = send(client, "XLEN", key)
    return found
