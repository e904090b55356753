"""``python -m workers.baselines``: sketches messages from standard input, and compares sketches.

The first line is a ``Request``; each further one is a message: its payload, without line breaks.
Standard output gets one JSON object: for each field its sketch, its shape, or what changed. The
process holds no connection and changes nothing, so it may be killed at any time.
"""

import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from pydantic_core import from_json

from detectors.comparison import compare
from detectors.fields import FieldTable
from detectors.sketch import Sketch
from detectors.state import StateError, pack, unpack
from schemas.detector_settings import FieldSettings, Settings
from workers.own_output import own_output

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""The quantiles that a shape tells."""

_BINS = 12
_BATCH = 500
_MOST_BYTES = 200_000


class Request(Settings):
    """What is to be done, with which fields, and with which stored sketches (packed, Base64)."""

    do: Literal["build", "describe", "compare"]
    patterns: Annotated[tuple[str, ...], Field(description="all fields if empty")] = ()
    sketches: dict[str, str] = Field(default_factory=dict)
    alpha: Annotated[float, Field(gt=0.0, lt=1.0, description="of a change in any field")] = 0.01


def answer(lines: Iterable[bytes]) -> dict[str, Any]:
    """What to say to a request and the messages behind it: by field, or ``{"error": …}``.

    Raises ValueError for a request that is none.
    """
    rest = iter(lines)
    request = Request.model_validate_json(next(rest))
    try:
        stored = {name: _stored(name, text) for name, text in request.sketches.items()}
    except StateError as error:
        return {"error": str(error)}
    if request.do == "describe":
        return {"fields": {name: shape(sketch) for name, sketch in stored.items()}}
    found = sketched(rest, request.patterns)
    if request.do == "build":
        return {"fields": {name: packed(sketch) for name, sketch in sorted(found.items())}}
    alpha = request.alpha / max(1, len(stored))
    return {
        "fields": {
            name: _compared(stored[name], found[name], alpha) for name in stored if name in found
        }
    }


def sketched(lines: Iterable[bytes], patterns: tuple[str, ...]) -> dict[str, Sketch]:
    """A sketch of each field that has numbers; a payload that is no JSON object has none.

    The order of the messages makes the sketches, and how they are read does not.
    """
    table = FieldTable(FieldSettings(patterns=patterns or None))
    found: dict[str, Sketch] = {}
    waiting = iter(lines)
    while batch := [_payload(line) for line in islice(waiting, _BATCH)]:
        columns = table.columns(batch)
        for name, values in zip(columns.names, columns.x.T, strict=True):
            found.setdefault(name, Sketch()).update(values)
    return {name: sketch for name, sketch in found.items() if len(sketch)}


def shape(sketch: Sketch) -> dict[str, Any]:
    """Quantiles, and bins of equal width over the middle 98 %; the outer two have what is beyond.

    ``edges`` has one number more than ``shares``, unless that middle is a single value.
    """
    low, high = sketch.quantile(0.01), sketch.quantile(0.99)
    edges, shares = np.array([low, high]), np.ones(1)
    if low < high:
        edges = np.linspace(low, high, _BINS + 1)
        shares = np.diff(sketch.ranks(edges[1:-1]), prepend=0.0, append=1.0)
    return {
        "rank_error": sketch.rank_error,
        "quantiles": {f"{share:g}": sketch.quantile(share) for share in QUANTILES},
        "edges": edges.tolist(),
        "shares": shares.tolist(),
    }


def packed(sketch: Sketch) -> dict[str, Any]:
    """A sketch as a ``FieldBaseline`` has it: its size, and what restores it."""
    return {"size": len(sketch), "sketch": b64encode(pack(sketch.state())).decode()}


def _compared(before: Sketch, now: Sketch, alpha: float) -> dict[str, Any]:
    found = compare(before, now)
    spread = found.spread if np.isfinite(found.spread) else None
    told = {"changed": found.is_change(alpha), "effect": found.words(alpha)}
    return asdict(found) | {"spread": spread} | told


def _stored(name: str, text: str) -> Sketch:
    sketch = Sketch()
    try:
        sketch.restore(unpack(b64decode(text, validate=True), max_bytes=_MOST_BYTES))
    except ValueError as error:
        raise StateError(
            f"the stored baseline of {name} cannot be read ({error}); delete it and set it anew"
        ) from error
    return sketch


def _payload(line: bytes) -> Mapping[str, Any]:
    try:
        found = from_json(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def main() -> None:
    """Answer what standard input asks."""
    with own_output() as out:
        out.write(json.dumps(answer(sys.stdin.buffer)).encode() + b"\n")


if __name__ == "__main__":
    main()
