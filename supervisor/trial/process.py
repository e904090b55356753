"""Runs the trial in a process of its own, so that the command knows no detector."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from supervisor.errors import SupervisorError
from supervisor.piped import piped

Told = Callable[[int, int, str], None]
"""Takes how many candidates are done, of how many, and the name of the next."""


class NoTrial(SupervisorError):
    """There is nothing to try detectors on, or the trial broke off."""


def hold(request: Mapping[str, Any], lines: Iterable[bytes], told: Told) -> dict[str, Any]:
    """Hand the messages over and return the report; the process ends with the call.

    Raises NoTrial where it broke off.
    """
    reports: list[dict[str, Any]] = []

    def heard(_: int, said: dict[str, Any]) -> None:
        if "report" in said:
            reports.append(said["report"])
        else:
            progress = said["progress"]
            told(progress["done"], progress["of"], progress["name"])

    piped("workers.trial", [json.dumps(request).encode() + b"\n"], lines, heard)
    if not reports:
        raise NoTrial("the trial of detectors broke off; what it said stands above")
    return reports[0]
