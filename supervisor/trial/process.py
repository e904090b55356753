"""Runs the trial in a process of its own, so that the command knows no detector."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import IO, Any

from supervisor.errors import SupervisorError

Told = Callable[[int, int, str], None]
"""Takes how many candidates are done, of how many, and the name of the next."""


class NoTrial(SupervisorError):
    """There is nothing to try detectors on, or the trial broke off."""


def hold(request: Mapping[str, Any], lines: Iterable[bytes], told: Told) -> dict[str, Any]:
    """Hand the messages over and return the report; the process ends with the call.

    Raises NoTrial where it broke off.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.trial"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError), process.stdin as pipe:  # its exit code tells why
            pipe.write(json.dumps(request).encode() + b"\n")
            pipe.writelines(lines)
        report = _report(process.stdout, told)
    finally:
        process.kill()  # it has nothing to lose, and has ended by itself if all went well
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if report is None:
        raise NoTrial("the trial of detectors broke off; what it said stands above")
    return report


def _report(said: IO[bytes], told: Told) -> dict[str, Any] | None:
    for raw in said:
        line = json.loads(raw)
        if "report" in line:
            report: dict[str, Any] = line["report"]
            return report
        progress = line["progress"]
        told(progress["done"], progress["of"], progress["name"])
    return None
