"""What the workers that have state emitted, compared with an undisturbed run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from bench.chaos.house import House
from bench.chaos.payloads import numbered
from bench.chaos.producer import feed
from streams.connection import send
from streams.entry import Entry

STATEFUL = ("anomaly", "drift", "summing")
STREAMS = ("EVENTS", "DRIFTS", "SUMS")

Emitted = dict[str, list[tuple[bytes, bytes]]]
"""By stream: payload and parents of each entry, in their order."""


class Run(ABC):
    """A way to send the same messages again, to workers to which nothing happens."""

    @abstractmethod
    def remember(self, found: House) -> None:
        """Keep what ``repeat`` needs of the run that was disturbed; the server is emptied then."""

    @abstractmethod
    def repeat(self, found: House, told: int) -> None:
        """Send ``told`` messages through the workers that have state; nothing happens to them."""


class Fed(Run):
    """Entries whose ids are the same in every run."""

    def remember(self, found: House) -> None:
        """Nothing: the numbers of the messages tell all."""

    def repeat(self, found: House, told: int) -> None:
        """Feed the detectors alone."""
        feed(found.client, range(told), numbered)
        found.start(*STATEFUL)
        found.finish()


class Gated(Run):
    """Entries that came through the gate, which may pass on one that it had in hand when it was
    killed behind its neighbours: they are sent again as it had passed them on.
    """

    def __init__(self) -> None:
        self._passed: list[Entry] = []

    def remember(self, found: House) -> None:
        """What the gate passed on."""
        self._passed = found.entries("OK")

    def repeat(self, found: House, told: int) -> None:
        """Send that to the detectors alone."""
        for entry in self._passed:
            send(found.client, "XADD", entry.stream, entry.id, *entry.fields)
        found.start(*STATEFUL)
        found.finish()


def emitted(entries: Callable[[str], Iterable[Entry]], streams: Iterable[str]) -> Emitted:
    """Every byte of the entries of these streams."""
    return {stream: [_pair(entry) for entry in entries(stream)] for stream in streams}


def _pair(entry: Entry) -> tuple[bytes, bytes]:
    return entry.get(b"data") or b"", entry.get(b"parents") or b""


def compare(
    found: House, run: Run, told: int
) -> tuple[bool, list[str], dict[str, float | int | str]]:
    """Run undisturbed on the emptied server, and compare with what is there now.

    Returns whether they are equal, in words what is not (an empty stream proves nothing, so it is
    a fault too), and how many events there were.
    """
    storm = emitted(found.entries, STREAMS)
    run.remember(found)
    found.empty()
    run.repeat(found, told)
    calm = emitted(found.entries, STREAMS)
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
