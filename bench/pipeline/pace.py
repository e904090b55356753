"""An open-loop publisher: each message has its time, whether or not the pipeline keeps up.

A publisher that waits for what it measures sends less while things are slow, and so hides it
(coordinated omission). This one counts each message from when it was meant to be sent.
"""

import math
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

from bench.pipeline.payloads import readings
from bench.pipeline.sizes import Load
from streams.connection import connect
from streams.publish import Outgoing, Publisher

SENSORS = 20
_NAP_S = 0.001  # between looks at the clock; what became due meanwhile is sent together
_LEAD_S = 0.1


def pace(
    publish: Callable[[range], Sequence[str]],
    load: Load,
    start_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> dict[str, float]:
    """Publish every message at its time, or as soon after as can be; its intended time by uid.

    ``publish`` gets the numbers of the messages that are due, and returns their uids.
    """
    intended: dict[str, float] = {}
    done = 0
    while done < load.messages:
        due = min(load.messages, math.floor((clock() - start_s) * load.rate_per_s) + 1)
        if due <= done:
            sleep(_NAP_S)
            continue
        for number, uid in zip(range(done, due), publish(range(done, due)), strict=True):
            intended[uid] = start_s + number / load.rate_per_s
        done = due
    return intended


@contextmanager
def pacing(url: str, stream: str, load: Load) -> Iterator[Connection]:
    """A publisher in a process of its own, so that it does not disturb who measures.

    It starts at once; when it is done the connection holds what ``pace`` returned.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_publish, args=(url, stream, load, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        ours.recv()  # it is ready
        yield ours
    finally:
        process.join(10)
        process.kill()


def _publish(url: str, stream: str, load: Load, told: Connection) -> None:
    messages = [
        Outgoing(d)
        for d in readings(load.messages, sensors=SENSORS, marked_every=load.marked_every)
    ]
    with connect(url) as client:
        publisher = Publisher(client)

        def publish(due: range) -> list[str]:
            found = publisher.publish_batch(stream, messages[due.start : due.stop])
            return [published.uid for published in found]

        told.send(True)
        told.send(pace(publish, load, time.monotonic() + _LEAD_S))
