"""Runs the handlers in a process of their own, so that the command knows no worker."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from schemas.uid import id_order
from streams.around import before
from streams.connection import Client
from streams.entry import Entry
from supervisor.errors import SupervisorError
from supervisor.piped import piped
from supervisor.replay.graph import Node
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
    said: list[dict[str, Any]] = []
    head = request_line(config, secret, plan.expected)
    (code,) = piped("workers.replay", [head], _lines(plan, context), lambda _, s: said.append(s))
    if code != 0:
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
        start, older = id_order(first), 0
        for entry in chain.from_iterable(before(client, last)):
            older += id_order(entry.id) < start
            if older > most:
                break
            yield entry


def request_line(config: Path, secret: bytes, expected: Iterable[Node] = ()) -> bytes:
    """The first line for a process that runs handlers."""
    said = {
        "config": str(config),
        "secret": base64.b64encode(secret).decode(),
        "originals": [
            {"uid": node.uid, "worker": node.worker, "parents": node.parents} for node in expected
        ],
    }
    return json.dumps(said).encode() + b"\n"


def given_line(entry: Entry, **said: Any) -> bytes:
    """A message as a line for such a process."""
    fields = [base64.b64encode(field).decode() for field in entry.fields]
    line = {"stream": entry.stream, "id": entry.id, "fields": fields, **said}
    return json.dumps(line).encode() + b"\n"


def _lines(plan: Plan, context: Iterable[Entry]) -> Iterator[bytes]:
    for given in plan.given:
        yield given_line(given.entry, workers=given.workers)
    for entry in context:
        yield given_line(entry, context=True)


def _made(*, fields: list[str], parents: list[str], **said: Any) -> Made:
    decoded = tuple(base64.b64decode(field) for field in fields)
    return Made(fields=decoded, parents=tuple(parents), **said)
