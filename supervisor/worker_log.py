"""The log file of one worker process, read while the process writes it.

The process writes the file itself, through no pipe of ours: it can drain and say its last words
even when the supervisor was killed.
"""

import json
import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_MOST_BYTES = 10 * 1024 * 1024
_MOST_AT_ONCE_BYTES = 4 * 1024 * 1024
_MOST_LINE_BYTES = 64 * 1024
_REMEMBERED = 20
_TAKEN = ("process", "self", "args", "method_name", "exc_info", "stack_info", "exception", "stack")
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
    def told(self) -> dict[str, Any]:
        """Its fields, for a line of our log; one whose name has a meaning there goes as ``name_``.

        >>> Line("", "slow", "warning", (("process", 41), ("took_s", 2))).told
        {'process_': 41, 'took_s': 2}
        """
        fields = dict(self.fields)
        fields.pop("worker", None)  # the process says it
        return {f"{name}_" if name in _TAKEN else name: value for name, value in fields.items()}

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

    Only its owner may read it: what an author prints may quote messages. A file of more than 10 MiB
    is put aside as ``….log.1`` when its process starts anew; one that was truncated is read from
    its beginning. Of more than 4 MiB between two looks only the end is read, and what is longer
    than 64 KiB is no line.
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
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size > _MOST_BYTES:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        file = open(self.path, "ab", opener=_closed_to_others)  # noqa: SIM115 - the caller closes it
        self._offset, self._rest = file.tell(), b""
        self._last.clear()
        return file

    def fresh(self) -> list[Line]:
        """The whole lines written since the last call."""
        written = self._written()  # which may find that the rest is void
        *whole, self._rest = (self._rest + written).split(b"\n")
        self._rest = self._rest[:_MOST_LINE_BYTES]
        lines = [_parsed(raw) for raw in whole if raw.strip()]
        self._last.extend(lines)
        return lines

    def _written(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                if size < self._offset:  # somebody truncated it
                    self._offset, self._rest = 0, b""
                if size - self._offset > _MOST_AT_ONCE_BYTES:
                    self._offset, self._rest = size - _MOST_AT_ONCE_BYTES, b""
                file.seek(self._offset)
                written = file.read(size - self._offset)
        except OSError:
            return b""  # not there yet, or somebody removed it
        self._offset += len(written)
        return written

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


def _closed_to_others(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _parsed(raw: bytes) -> Line:
    text = raw[:_MOST_LINE_BYTES].decode(errors="replace").rstrip()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # an author may print anything
        return Line(text)
    if not isinstance(found, dict) or "event" not in found:
        return Line(text)
    level, event = str(found.pop("level", "")), str(found.pop("event"))
    found.pop("timestamp", None)
    return Line(text, event, level, tuple(found.items()))
