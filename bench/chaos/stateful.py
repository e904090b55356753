"""What the workers that have state emitted, compared with an undisturbed run."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from bench.chaos.house import House
from bench.chaos.payloads import mixed, numbered, numbers
from bench.chaos.producer import feed, with_ids
from streams.entry import Entry

STATEFUL = ("anomaly", "drift", "summing")
STREAMS = ("EVENTS", "DRIFTS", "SUMS")

Emitted = dict[str, list[tuple[bytes, bytes]]]
"""By stream: payload and parents of each entry, in their order."""


class Run(ABC):
    """A way to send the same messages again and to read what came of them."""

    @abstractmethod
    def repeat(self, found: House, told: int) -> None:
        """Send ``told`` messages through the workers that have state; nothing happens to them."""

    @abstractmethod
    def read(self, found: House) -> Emitted:
        """What they emitted, without what is another in every run."""


class Fed(Run):
    """Entries whose ids are the same in every run, so every byte of what is emitted is too."""

    def repeat(self, found: House, told: int) -> None:
        """Feed the detectors alone."""
        feed(found.client, range(told), numbered)
        found.start(*STATEFUL)
        found.finish()

    def read(self, found: House) -> Emitted:
        """Every byte."""
        return emitted(found.entries, STREAMS)


class Gated(Run):
    """Entries that came through the gate: uids and times hold the moment at which it passed them
    on, so messages are named by their number instead.
    """

    def repeat(self, found: House, told: int) -> None:
        """Publish to the gate."""
        publish = with_ids(mixed)
        for start in range(0, told, 500):
            publish(found.client, range(start, min(start + 500, told)))
        found.start("gate", *STATEFUL)
        found.finish()

    def read(self, found: House) -> Emitted:
        """Every byte but uids and times."""
        passed = found.entries("OK")
        names = dict(
            zip((e.uid for e in passed), numbers(e.get(b"data") for e in passed), strict=True)
        )
        return {
            stream: [_renamed(_pair(entry), names) for entry in found.entries(stream)]
            for stream in STREAMS
        }


def emitted(entries: Callable[[str], Iterable[Entry]], streams: Iterable[str]) -> Emitted:
    """Every byte of the entries of these streams."""
    return {stream: [_pair(entry) for entry in entries(stream)] for stream in streams}


def _pair(entry: Entry) -> tuple[bytes, bytes]:
    return entry.get(b"data") or b"", entry.get(b"parents") or b""


def _renamed(pair: tuple[bytes, bytes], names: dict[str, int]) -> tuple[bytes, bytes]:
    event = json.loads(pair[0])
    for field in ("message", "first", "since"):
        if event.get(field) is not None:
            event[field] = names[event[field]]
    for field in ("at_ms", "incident"):  # an incident is named after its first message
        if field in event:
            event[field] = 0
    parents = " ".join(str(names[uid]) for uid in pair[1].decode().split())
    return json.dumps(event).encode(), parents.encode()


def compare(
    found: House, run: Run, told: int
) -> tuple[bool, list[str], dict[str, float | int | str]]:
    """Run undisturbed on the emptied server, and compare with what is there now.

    Returns whether they are equal, in words what is not (an empty stream proves nothing, so it is
    a fault too), and how many events there were.
    """
    storm = run.read(found)
    found.empty()
    run.repeat(found, told)
    calm = run.read(found)
    counts: dict[str, float | int | str] = {s.lower(): len(calm[s]) for s in STREAMS}
    return storm == calm, differences(storm, calm), counts


def differences(storm: Emitted, calm: Emitted) -> list[str]:
    """In words, what is not equal; an empty stream proves nothing, so it is a fault too."""
    faults = [f"{s}: {_difference(storm[s], calm[s])}" for s in calm if storm[s] != calm[s]]
    return faults + [f"{stream}: nothing was emitted" for stream in calm if not calm[stream]]


def _difference(storm: Sequence[object], calm: Sequence[object]) -> str:
    first = next((i for i, (a, b) in enumerate(zip(storm, calm, strict=False)) if a != b), None)
    at = min(len(storm), len(calm)) if first is None else first
    return f"{len(storm)} events where {len(calm)} are due; the first difference is at {at}"
