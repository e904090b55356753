"""Runs the handlers in a process of their own, so that the command knows no worker."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import IO, Any

from streams.around import before
from streams.connection import Client
from streams.entry import Entry
from supervisor.errors import SupervisorError
from supervisor.replay.plan import Plan


class NoReplay(SupervisorError):
    """The replay broke off, or there is nothing to replay."""


@dataclass(frozen=True, slots=True)
class Made:
    """A message that a worker made again, or anew.

    ``uid`` is that of the original that it stands for, else one of its own that no stream has.
    ``trigger`` is the message that it was made at; ``note`` what lineage says of it.
    """

    uid: str
    worker: str
    original: str | None
    trigger: str
    stream: str
    parents: tuple[str, ...]
    fields: tuple[bytes, ...]
    note: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that a worker could not handle, and why."""

    uid: str
    worker: str
    error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a replay made."""

    made: tuple[Made, ...]
    failed: tuple[Failed, ...]


def run(config: Path, secret: bytes, plan: Plan, context: Iterable[Entry]) -> Outcome:
    """Run a plan; ``context`` are retained messages that only workers with a state look at.

    Raises NoReplay where it broke off, or where the settings of a worker cannot be used.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.replay"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    feeder = Thread(target=_feed, args=(process.stdin, _lines(config, secret, plan, context)))
    feeder.start()  # it must be read while it is fed, or both wait for ever
    try:
        said = [json.loads(line) for line in process.stdout]
        failed = process.wait() != 0
    finally:
        process.kill()  # it has nothing to lose, and has ended by itself if all went well
        process.wait()
        feeder.join()
        process.stdout.close()
    if failed:
        raise NoReplay("the replay broke off; what it said stands above")
    for line in said:
        if "error" in line:
            raise NoReplay(str(line["error"]))
    made = (_made(**line["made"]) for line in said if "made" in line)
    failures = (Failed(**line["failed"]) for line in said if "failed" in line)
    return Outcome(tuple(made), tuple(failures))


def context_of(client: Client, plan: Plan, most: int) -> Iterator[Entry]:
    """What is retained of the streams that workers with a state read, up to the last message.

    Of what lies before the first message of the plan at most ``most`` entries a stream's key.
    """
    for first, last in plan.stateful.values():
        start, older = _place(first), 0
        for entry in chain.from_iterable(before(client, last)):
            older += _place(entry.uid) < start
            if older > most:
                break
            yield entry


def _place(uid: str) -> tuple[int, int]:
    ms, _, number = uid.rpartition("/")[2].partition("-")
    return int(ms), int(number)


def _feed(pipe: IO[bytes], lines: Iterable[dict[str, Any]]) -> None:
    with suppress(BrokenPipeError), pipe:  # its exit code tells why
        pipe.writelines(json.dumps(line).encode() + b"\n" for line in lines)


def _lines(
    config: Path, secret: bytes, plan: Plan, context: Iterable[Entry]
) -> Iterator[dict[str, Any]]:
    yield {
        "config": str(config),
        "secret": base64.b64encode(secret).decode(),
        "originals": [
            {"uid": node.uid, "worker": node.worker, "parents": node.parents}
            for node in plan.expected
        ],
    }
    for given in plan.given:
        yield _line(given.entry) | {"workers": given.workers}
    for entry in context:
        yield _line(entry) | {"context": True}


def _line(entry: Entry) -> dict[str, Any]:
    fields = [base64.b64encode(field).decode() for field in entry.fields]
    return {"stream": entry.stream, "id": entry.id, "fields": fields}


def _made(*, fields: list[str], parents: list[str], **said: Any) -> Made:
    decoded = tuple(base64.b64decode(field) for field in fields)
    return Made(fields=decoded, parents=tuple(parents), **said)
