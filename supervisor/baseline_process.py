"""Has sketches made in a process of its own, so that the command knows no detector."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from streams.entry import Entry
from supervisor.baselines import BaselineRefused


def ask(request: Mapping[str, Any], entries: Iterable[Entry] = ()) -> dict[str, dict[str, Any]]:
    """Hand a ``workers.baselines.Request`` and entries over; what was found, by field.

    Raises BaselineRefused where it broke off, or a stored sketch is none.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.baselines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError), process.stdin as pipe:  # its exit code tells why
            pipe.write(json.dumps(request).encode() + b"\n")
            pipe.writelines(_line(entry) for entry in entries)
        said = process.stdout.read()
        failed = process.wait() != 0
    finally:
        process.kill()  # it has nothing to lose, and has ended by itself if all went well
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if failed:
        raise BaselineRefused("the sketching broke off; what it said stands above")
    found = json.loads(said)
    if "error" in found:
        raise BaselineRefused(str(found["error"]))
    fields: dict[str, dict[str, Any]] = found["fields"]
    return fields


def _line(entry: Entry) -> bytes:
    """A payload on one line: a line break in JSON stands between tokens only, as a blank may."""
    data = entry.get(b"data") or b"null"
    return data.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"
