"""The log file of one worker process, read while the process writes it.

The process writes the file itself, through no pipe of ours: it can drain and say its last words
even when the supervisor was killed.
"""

import json
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_MOST_BYTES = 10 * 1024 * 1024
_REMEMBERED = 20
_LOUD = ("warning", "error", "critical")

KEEPER_WENT_ON = "process_ended"
"""What a keeper says when the process that worked for it ended, and another follows."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a worker's log: its text, and its event and fields where it is one of ours."""

    text: str
    event: str = ""
    level: str = ""
    fields: tuple[tuple[str, Any], ...] = ()

    @property
    def loud(self) -> bool:
        """Whether it is a warning or worse."""
        return self.level in _LOUD

    @property
    def words(self) -> str:
        """What it says to a person, never as JSON: its error, else its event and fields.

        >>> Line("", "deadline_passed", "error", (("handling_s", 61), ("worker", "gate"))).words
        'deadline passed (handling_s 61, worker gate)'
        """
        if not self.event:
            return self.text
        error, event = dict(self.fields).get("error"), self.event.replace("_", " ")
        said = ", ".join(f"{name} {value}" for name, value in self.fields)
        return str(error) if error else f"{event} ({said})" if said else event


class WorkerLog:
    """Opens the file for a process, and follows what the process writes.

    A file of more than 10 MiB is put aside as ``….log.1`` when its process starts anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._rest = b""
        self._last: deque[Line] = deque(maxlen=_REMEMBERED)

    def open(self) -> IO[bytes]:
        """The file, for a process that is about to start; what was in it is not read again.

        Raises OSError.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size > _MOST_BYTES:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        file = self.path.open("ab")
        self._offset, self._rest = file.tell(), b""
        self._last.clear()
        return file

    def fresh(self) -> list[Line]:
        """The whole lines written since the last call."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                written = file.read()
        except OSError:
            return []  # not there yet, or somebody removed it
        self._offset += len(written)
        *whole, self._rest = (self._rest + written).split(b"\n")
        lines = [_parsed(raw) for raw in whole if raw.strip()]
        self._last.extend(lines)
        return lines

    def last_words(self) -> str:
        """Why the process ended, as far as it said: its last error, else the end of a traceback.

        What stands before its keeper told of an end is of another process, which is told of
        already. Empty where it only told of its everyday work.
        """
        own: list[Line] = []
        for line in self._last:
            own = [] if line.event == KEEPER_WENT_ON else [*own, line]
        spoken = [line for line in own if line.level in ("error", "critical")]
        spoken = spoken or [line for line in own if not line.event]
        return spoken[-1].words if spoken else ""


def _parsed(raw: bytes) -> Line:
    text = raw.decode(errors="replace").rstrip()
    try:
        found = json.loads(text)
    except ValueError:
        return Line(text)
    if not isinstance(found, dict) or "event" not in found:
        return Line(text)
    level, event = str(found.pop("level", "")), str(found.pop("event"))
    found.pop("timestamp", None)
    return Line(text, event, level, tuple(found.items()))
