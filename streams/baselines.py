"""The stored baselines of a stream: one key, one entry a version, each recorded in the lineage.

All versions lie on lane 0, beside the lineage of that lane, however many lanes the stream has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from schemas.baseline import Baseline
from streams.connection import Client, send
from streams.entry import Entry
from streams.errors import StreamsError
from streams.keys import Lane
from streams.scripts import run_script

KEPT = 10
"""Versions that are kept of a stream's baselines; the lineage tells of those before."""

_SCHEMA = "schemas.baseline:Baseline"


class BaselineChanged(StreamsError):
    """Somebody else changed the baselines meanwhile, or wrote something there that is none."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a stream's baselines, and the uid of its entry."""

    uid: str
    baseline: Baseline


class Baselines:
    """The baselines of one stream. ``stream`` and ``lineage`` are bare names."""

    def __init__(self, client: Client, lanes: int, stream: str, lineage: str) -> None:
        lane = Lane(0, lanes)
        self._client = client
        self._stream = stream
        self.key = lane.baseline(stream)
        self._lineage = lane.stream(lineage)

    def history(self) -> list[Version]:
        """The versions that are kept, newest first.

        Raises BaselineChanged when an entry is no baseline.
        """
        return self._newest(KEPT)

    def newest(self) -> Version | None:
        """The newest version, or None before the first. Raises as ``history``."""
        return next(iter(self._newest(1)), None)

    def newer_than(self, known: Version | None) -> Version | None:
        """The newest version if there is one after ``known``, else None. Raises as ``history``.

        Cheap where there is none.
        """
        after = f"({known.uid.rpartition('/')[2]}" if known else "-"
        return next(iter(self._newest(1, after)), None)

    def _newest(self, count: int, after: str = "-") -> list[Version]:
        reply = send(self._client, "XREVRANGE", self.key, "+", after, "COUNT", count)
        return [
            self._read(Entry(self.key, entry_id.decode(), fields)) for entry_id, fields in reply
        ]

    def _read(self, entry: Entry) -> Version:
        try:
            return Version(entry.uid, Baseline.model_validate_json(entry.get(b"data") or b""))
        except ValidationError as error:
            raise BaselineChanged(
                f"the entry {entry.uid} is no baseline, so something else wrote it; delete the key "
                f"{self.key!r} and set the baselines of {self._stream} anew"
            ) from error

    def append(
        self,
        before: Version | None,
        baseline: Baseline,
        author: Mapping[str, Any],
        parents: Sequence[str],
    ) -> Version:
        """Append a version behind ``before`` and record in the lineage what it came from.

        ``author`` is the lineage record's account of who did it (a ``LineageRecord`` without
        ``outputs``); ``parents`` are the uids of traffic and of the version before.

        Raises BaselineChanged when ``before`` is not the newest version any more.
        """
        output = {
            "stream": self.key,
            "parents": list(parents),
            "schema_name": _SCHEMA,
            "schema_version": baseline.schema_version,
        }
        known = before.uid.rpartition("/")[2] if before else ""
        record = to_json({**author, "outputs": [output]})
        args = [known, baseline.model_dump_json(), record, KEPT]
        new_id = run_script(self._client, "baseline", [self.key, self._lineage], args)
        if not new_id:
            raise BaselineChanged(
                f"somebody else changed the baselines of {self._stream} just now; see "
                f"'penstock baseline show --history {self._stream}', and try again"
            )
        return Version(f"{self.key}/{new_id.decode()}", baseline)
