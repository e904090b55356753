"""FastStream doing the gate's job: validate with the same schema, publish on, acknowledge.

Both forms are those of its documentation, set up to its advantage: no logger, up to 500 entries a
read, and a decoder that validates the JSON itself. That is faster than to validate what
``json.loads`` made of it, and the only way for a strict schema, whose enumerations are no strings.
The messages are in FastStream's own format.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from faststream.redis import RedisBroker, StreamSub
from faststream.redis.annotations import Pipeline
from faststream.redis.parser import BinaryMessageFormatV1
from pydantic import TypeAdapter

from bench.pipeline.turns import BATCH, verify
from schemas import L3EventSchema
from streams.connection import Client, send

GROUP, SOURCE, TARGET = "faststream", "IN", "OK"
_JSON = {"content-type": "application/json"}


class Done:
    """Tells when all messages have been handled."""

    def __init__(self, messages: int) -> None:
        self._left = messages
        self.event = asyncio.Event()

    def count(self, messages: int) -> None:
        """So many more are handled."""
        self._left -= messages
        if self._left <= 0:
            self.event.set()


def one_by_one(broker: Any, done: Done) -> None:
    """A handler that is called with each message; what it returns is published."""

    async def handle(event: L3EventSchema) -> L3EventSchema:
        done.count(1)
        return event

    source = StreamSub(SOURCE, group=GROUP, consumer="one", max_records=BATCH)
    subscriber = broker.subscriber(stream=source, decoder=_decoder(L3EventSchema))
    subscriber(broker.publisher(stream=TARGET)(handle))


def in_batches(broker: Any, done: Done) -> None:
    """A handler that is called with each batch, and publishes it by one pipeline."""

    async def handle(events: list[L3EventSchema], pipe: Pipeline) -> None:
        for event in events:
            await broker.publish(event, stream=TARGET, pipeline=pipe)
        await pipe.execute()
        done.count(len(events))

    source = StreamSub(SOURCE, group=GROUP, consumer="one", max_records=BATCH, batch=True)
    broker.subscriber(stream=source, decoder=_decoder(list[L3EventSchema]))(handle)


def run(
    client: Client, url: str, payloads: Sequence[bytes], subscribe: Callable[[Any, Done], None]
) -> float:
    """Seconds that one of the two forms takes for these messages. Raises NotDone."""
    return asyncio.run(_run(client, url, payloads, subscribe))


async def _run(
    client: Client, url: str, payloads: Sequence[bytes], subscribe: Callable[[Any, Done], None]
) -> float:
    await _fill(client, payloads)
    broker, done = RedisBroker(url, logger=None), Done(len(payloads))
    subscribe(broker, done)
    started_s = time.perf_counter()
    try:
        await broker.start()
        await asyncio.wait_for(done.event.wait(), 120)
        while send(client, "XPENDING", SOURCE, GROUP)[0]:
            await asyncio.sleep(0)  # it acknowledges after the handler has returned
        took_s = time.perf_counter() - started_s
    finally:
        await broker.stop()
    verify(client, SOURCE, GROUP, TARGET, len(payloads))
    return took_s


async def _fill(client: Client, payloads: Sequence[bytes]) -> None:
    send(client, "FLUSHALL")
    for data in payloads:
        message = await BinaryMessageFormatV1.encode(
            message=data, reply_to=None, headers=_JSON, correlation_id="0" * 36
        )
        client.xadd(SOURCE, {"__data__": message})
    client.xgroup_create(SOURCE, GROUP, id="0")


def _decoder(schema: Any) -> Callable[[Any], Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(schema)

    async def decode(message: Any) -> Any:
        return adapter.validate_json(message.body)

    return decode
