"""``python -m workers.trial``: lets detectors judge messages from standard input.

The first line is a ``Request``; each further one is a message, the newest first: its time in ms
since the epoch, its key as JSON, and its payload, with tabs between. Standard output gets a JSON
object a line: ``{"progress": …}`` before each candidate, and at the end ``{"report": …}``.

It holds no connection and changes nothing, so it may be killed at any time.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from pydantic_core import from_json

from detectors.fields import Columns, FieldTable
from detectors.trial import Advice, Candidate, Traffic, Trial, TrialSettings, advise, candidates
from schemas.anomaly_settings import AnomalySettings
from schemas.detector_settings import FieldSettings, Settings
from schemas.drift_settings import DriftSettings
from workers.own_output import own_output

_CHUNK = 500


class Request(Settings):
    """What is to be tried: the watching workers' settings by name, and how."""

    fields: Annotated[tuple[str, ...] | None, Field(description="patterns; all if absent")] = None
    anomaly: dict[str, AnomalySettings] = Field(default_factory=dict)
    drift: dict[str, DriftSettings] = Field(default_factory=dict)
    only: Annotated[tuple[str, ...], Field(description="beginnings of names; all if empty")] = ()
    shifts: int = 20
    seed: int = 7
    messages_per_day: float | None = None
    alarms_per_day: float = 20.0


def run(lines: Iterable[bytes], cpu_s: Callable[[], float]) -> Iterator[dict[str, Any]]:
    """Yield a progress before each candidate, and at last the report.

    Raises ValueError for a request that is none.
    """
    rest = iter(lines)
    request = Request.model_validate_json(next(rest))
    traffic = traffic_from(rest, request.fields)
    settings = TrialSettings(
        shifts=request.shifts, seed=request.seed, per_day=request.messages_per_day
    )
    trial, rows = Trial(traffic, settings, cpu_s), []
    chosen = _chosen(request)
    for number, candidate in enumerate(chosen):
        yield {"progress": {"done": number, "of": len(chosen), "name": candidate.name}}
        rows.append(trial.row(candidate))
    advice = [_advice(each) for each in advise(rows, request.alarms_per_day)]
    yield {
        "report": {
            "traffic": _described(traffic),
            "horizon": settings.horizon,
            "rows": [asdict(row) for row in rows],
            "advice": advice,
        }
    }


def _chosen(request: Request) -> list[Candidate]:
    """The candidates that are asked for; those that know nothing always are."""
    found = candidates({**request.anomaly, **request.drift})
    return [
        each
        for each in found
        if each.family == "baseline" or not request.only or each.name.startswith(request.only)
    ]


def traffic_from(lines: Iterator[bytes], fields: Sequence[str] | None) -> Traffic:
    """Messages, the newest first, as traffic, the oldest first; only their numbers are kept."""
    table = FieldTable(FieldSettings(patterns=tuple(fields) if fields else None))
    keys: list[str | None] = []
    at_ms: list[int] = []
    parts: list[Columns] = []
    while chunk := list(islice(lines, _CHUNK)):
        cells = [line.split(b"\t", 2) for line in chunk]
        at_ms += [int(at) for at, _, _ in cells]
        keys += [json.loads(key) for _, key, _ in cells]
        parts.append(table.columns([_payload(data) for _, _, data in cells]))
    x = _joined(parts, table.names)[::-1]
    at_s = np.array(at_ms[::-1], dtype=np.float64) / 1000.0
    return Traffic(tuple(keys[::-1]), table.names, np.ascontiguousarray(x), at_s)


def _payload(data: bytes) -> Mapping[str, Any]:
    try:
        found = from_json(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _joined(parts: Sequence[Columns], names: tuple[str, ...]) -> "np.ndarray[Any, Any]":
    place = {name: column for column, name in enumerate(names)}
    whole = np.full((sum(len(part.x) for part in parts), len(names)), np.nan)
    row = 0
    for part in parts:
        columns = [place[name] for name in part.names]
        whole[row : row + len(part.x), columns] = part.x
        row += len(part.x)
    return whole


def _described(traffic: Traffic) -> dict[str, Any]:
    return {
        "messages": traffic.n,
        "keys": len(set(traffic.keys)),
        "fields": list(traffic.names),
        "span_s": traffic.span_s,
        "per_day": traffic.per_day,
    }


def _advice(advice: Advice) -> dict[str, Any]:
    row = advice.row
    return {
        "family": advice.family,
        "take": None if row is None else row.name,
        "settings": {} if row is None else dict(row.settings),
        "reason": advice.reason,
    }


def main() -> None:
    """Judge what standard input says."""
    with own_output() as out:
        for said in run(sys.stdin.buffer, time.process_time):
            out.write(json.dumps(said).encode() + b"\n")
            out.flush()


if __name__ == "__main__":
    main()
