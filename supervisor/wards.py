"""Quarantine streams as the commands see them: several under one name, and what may be told."""

import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from getpass import getuser
from importlib.metadata import version
from typing import Any

from schemas.topology import Topology
from streams.connection import Client
from streams.errors import UnknownEntry
from streams.keys import bare
from streams.quarantine import Quarantine, Quarantined
from supervisor.tables import text, texts


@dataclass(frozen=True, slots=True)
class Patient:
    """A quarantined message, as it may be told; only ``data`` and ``fields`` hold the payload."""

    item: Quarantined

    @property
    def uid(self) -> str:
        """The uid of its entry in the quarantine."""
        return self.item.entry.uid

    @property
    def at_ms(self) -> int:
        """When it was quarantined, in milliseconds since the epoch."""
        return self.item.entry.at_ms

    @property
    def stream(self) -> str:
        """The stream that it came from, without its lane."""
        return bare(str(self.item.reason.get("stream", "?")))

    @property
    def rule(self) -> str:
        """The rule that it broke first; for a dead letter, the worker that gave up."""
        return str(self._first.get("rule") or self.worker)

    @property
    def worker(self) -> str:
        """The worker that gave up on a dead letter; of a rejection, the gate."""
        return str(self.item.reason.get("worker", "?"))

    @property
    def path(self) -> str:
        """Where in the payload; empty for a dead letter and for the message as a whole."""
        return str(self._first.get("path", ""))

    @property
    def error(self) -> str:
        """The kind of a dead letter's error; its words, which may quote data, ``show`` has."""
        return str(self.item.reason.get("error", "")).partition(":")[0]

    @property
    def attempts(self) -> int:
        """Deliveries of a dead letter; 0 for a rejection."""
        attempts = self.item.reason.get("attempts")
        return attempts if isinstance(attempts, int) else 0

    @property
    def fields(self) -> list[bytes]:
        """The original's fields, names and values in turn."""
        return self.item.fields

    @property
    def data(self) -> bytes:
        """The original's payload."""
        return self.item.data

    @property
    def _violations(self) -> list[dict[str, Any]]:
        found = self.item.reason.get("violations")
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    @property
    def _first(self) -> dict[str, Any]:
        return next(iter(self._violations), {})

    def reason_lines(self) -> Iterator[tuple[str, str]]:
        """Why it is here, as names and values."""
        reason = self.item.reason
        yield "uid", self.uid
        for name in ("message", "stream", "worker", "schema_name", "attempts", "error"):
            if name in reason:
                yield name.removesuffix("_name"), str(reason[name])
        for violation in self._violations:
            where = violation.get("path") or "the message"
            yield "reason", f"{where}: {violation.get('rule')} ({violation.get('message')})"

    def summary_json(self, why: Sequence[str] = ("rule", "path", "error", "attempts")) -> str:
        """What ``list`` tells, as one JSON object; ``why`` names the properties that say it."""
        said = {"uid": self.uid, "at_ms": self.at_ms, "stream": self.stream}
        return json.dumps(said | {name: getattr(self, name) for name in why}, ensure_ascii=False)

    def full_json(self) -> str:
        """The reason, the fields and the payload as one JSON object."""
        said = {
            "uid": self.uid,
            "reason": self.item.reason,
            "fields": texts(self.fields),
            "data": text(self.data),
        }
        return json.dumps(said, ensure_ascii=False)


class Ward:
    """Some quarantine streams of one topology, as one. A message is named by uid or entry id.

    ``by`` is what the record of a release says of who releases, before user and process.
    """

    def __init__(
        self,
        client: Client,
        topology: Topology,
        streams: Sequence[str],
        *,
        now_s: Callable[[], float] = time.time,
        by: str = "",
    ) -> None:
        self.streams = tuple(streams)
        self._by = by
        self._now_s = now_s
        self._all = {
            name: Quarantine(client, topology.lanes, name, topology.lineage) for name in streams
        }

    def list(self, count: int) -> list[Patient]:
        """The newest messages of all the streams, newest first."""
        found = [Patient(item) for each in self._all.values() for item in each.list(count)]
        found.sort(key=lambda patient: patient.at_ms, reverse=True)
        return found[:count]

    def size(self) -> int:
        """How many messages there are."""
        return sum(each.size() for each in self._all.values())

    def uids(self, rule: str | None = None) -> Iterator[str]:
        """The uids of all that are there now, or of those with that rule, oldest first."""
        for each in self._all.values():
            for item in each.walk():
                patient = Patient(item)
                if rule is None or rule == patient.rule:
                    yield patient.uid

    def show(self, uid: str) -> Patient:
        """One message. Raises UnknownEntry."""
        return self._find(uid)[1]

    def release(self, uid: str, data: bytes | None = None) -> str:
        """Bring a message back to its stream; return its new uid. Raises UnknownEntry."""
        quarantine, patient = self._find(uid)
        return quarantine.release(patient.uid, author(self._now_s(), self._by), data)

    def drop(self, uid: str) -> None:
        """Remove a message for good. Raises UnknownEntry."""
        quarantine, patient = self._find(uid)
        quarantine.drop(patient.uid)

    def _find(self, uid: str) -> tuple[Quarantine, Patient]:
        for quarantine in self._all.values():
            try:
                return quarantine, Patient(quarantine.show(uid))
            except UnknownEntry:
                continue  # it may lie in another quarantine; at the end it is told
        raise UnknownEntry(
            f"{' and '.join(self.streams)}: no entry {uid!r}; it may have been released or "
            "dropped already"
        )


def author(now_s: float, by: str = "") -> dict[str, Any]:
    """What the lineage record of a release says of who released: user and process of this host."""
    return {
        "worker": "release",
        "worker_kind": "release",
        "worker_version": version("penstock"),
        "host": platform.node()[:128] or "unknown",
        "run": f"{by}{_user()}@{os.getpid()}"[:128],
        "at_ms": int(now_s * 1000),
    }


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"  # a container may run as a user without a name
