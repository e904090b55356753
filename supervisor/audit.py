"""Who had what done through the pages, and when: a log line and a line of ``audit.jsonl`` each.

A line is written before an action and another behind it, so that what a crash cut short is there
too. What cannot be written down is not done; only the end of everything never waits for a disk.
"""

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from supervisor.page_routes import Answer, Deed
from supervisor.tables import shortened

_ALWAYS = "/actions/stop"
_MOST_LETTERS = 256
_TAIL_BYTES = 256 * 1024


class Audit:
    """The record of one data directory; its owner alone may read it."""

    def __init__(self, data_dir: Path, log: Any, *, now_s: Callable[[], float] = time.time) -> None:
        self._path = data_dir / "audit.jsonl"
        self._log = log
        self._now_s = now_s
        self._one_at_a_time = threading.Lock()

    def __call__(self, deed: Deed, act: Callable[[], Answer]) -> Answer:
        """Have a deed done, with a line before and a line behind it."""
        told = {"deed": secrets.token_hex(4), **_told(deed)}
        try:
            self._write({**told, "state": "asked"})
        except OSError as error:
            self._log.error("audit_not_written", error=error.strerror, **told)
            if deed.action != _ALWAYS:
                sentence = f"{self._path} cannot be written ({error.strerror}); nothing was done"
                return Answer.fault(507, sentence)
        answer = act()
        outcome = {**told, "state": "done", "status": answer.status, **_gained(answer)}
        self._log.info("action", **outcome)
        try:
            self._write(outcome)
        except OSError as error:  # it was done, and that it was asked for is written down
            self._log.error("audit_not_written", error=error.strerror, **told)
        return answer

    def newest(self, count: int) -> list[dict[str, Any]]:
        """The newest lines about what is done, newest first; of a deed under way its first."""
        found: dict[str, dict[str, Any]] = {}
        for line in self._tail():
            with suppress(ValueError):  # a line that a crash cut short
                said = json.loads(line)
                found[said["deed"]] = said
        return list(found.values())[::-1][:count]

    def _tail(self) -> list[str]:
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                return file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _write(self, said: Mapping[str, Any]) -> None:
        line = json.dumps({"at_s": round(self._now_s(), 3), **said}, ensure_ascii=False) + "\n"
        with self._one_at_a_time:
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(fd, line.encode())
            finally:
                os.close(fd)


def _told(deed: Deed) -> dict[str, Any]:
    """What may be told of a deed: never the payload that somebody mended, only its length."""
    asked = {name: _brief(value) for name, value in deed.asked.items() if name != "data"}
    if isinstance(data := deed.asked.get("data"), str):
        asked["data_bytes"] = len(data.encode())
    action = deed.action.removeprefix("/actions/")
    return {"who": "token", "by": deed.by, "peer": deed.peer, "action": action, "asked": asked}


def _brief(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return shortened(value if isinstance(value, str) else json.dumps(value), _MOST_LETTERS)


def _gained(answer: Answer) -> dict[str, Any]:
    """The uid that a released message got, or the sentence of a fault."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    known = ("released_as", "error")
    return {name: said[name] for name in known if isinstance(said, dict) and name in said}
