"""What the workers that have state emitted, so that two runs can be compared."""

import json
from collections.abc import Callable, Sequence

from bench.chaos.house import House
from bench.chaos.payloads import numbers
from streams.entry import Entry

STATEFUL = ("anomaly", "drift", "summing")
STREAMS = ("EVENTS", "DRIFTS", "SUMS")

Emitted = dict[str, list[tuple[bytes, bytes]]]
"""By stream: payload and parents of each entry, in their order."""


def verbatim(house: House) -> Emitted:
    """Every byte of what was emitted."""
    return {stream: [_pair(entry) for entry in house.entries(stream)] for stream in STREAMS}


def by_number(house: House) -> Emitted:
    """As ``verbatim``, but each message is named by its number: uids and times hold the moment at
    which the gate passed it on, and that is another in every run.
    """
    passed = house.entries("OK")
    names = dict(zip((e.uid for e in passed), numbers(e.get(b"data") for e in passed), strict=True))
    return {
        stream: [_renamed(_pair(entry), names) for entry in house.entries(stream)]
        for stream in STREAMS
    }


def _pair(entry: Entry) -> tuple[bytes, bytes]:
    return entry.get(b"data") or b"", entry.get(b"parents") or b""


def _renamed(pair: tuple[bytes, bytes], names: dict[str, int]) -> tuple[bytes, bytes]:
    event = json.loads(pair[0])
    if "message" in event:
        event |= {"message": names[event["message"]], "at_ms": 0}
    parents = " ".join(str(names[uid]) for uid in pair[1].decode().split())
    return json.dumps(event).encode(), parents.encode()


def compare(
    house: House, storm: Emitted, calm_run: Callable[[], None], read: Callable[[House], Emitted]
) -> tuple[bool, list[str], dict[str, float | int | str]]:
    """Run undisturbed on the emptied server, and compare.

    Returns whether they are equal, in words what is not (an empty stream proves nothing, so it is
    a fault too), and how many events there were.
    """
    house.empty()
    calm_run()
    calm = read(house)
    faults = [f"{s}: {_difference(storm[s], calm[s])}" for s in STREAMS if storm[s] != calm[s]]
    faults += [f"{stream}: nothing was emitted" for stream in STREAMS if not calm[stream]]
    counts: dict[str, float | int | str] = {s.lower(): len(calm[s]) for s in STREAMS}
    return storm == calm, faults, counts


def _difference(storm: Sequence[object], calm: Sequence[object]) -> str:
    first = next((i for i, (a, b) in enumerate(zip(storm, calm, strict=False)) if a != b), None)
    at = min(len(storm), len(calm)) if first is None else first
    return f"{len(storm)} events where {len(calm)} are due; the first difference is at {at}"
