"""The newest incidents: read anew only where a stream has got longer, and at most once a second."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from schemas.side_examples import SIDE_EXAMPLES
from schemas.topology import Topology
from streams.entry import Entry
from supervisor.console import recent
from supervisor.console.recent import DRIFT_OPEN_S, Recent
from tests.unit.supervisor.stand_ins import Clock, topology

NOW_S = SIDE_EXAMPLES["drift"]["at_ms"] / 1000


class Streams:
    """An event stream whose entries a test chooses; counts how often it was read whole."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.read = 0

    def add(self, kind: str, **more: Any) -> None:
        data = json.dumps({**SIDE_EXAMPLES[kind], **more}).encode()
        self.entries.append(Entry("EVENTS", f"{len(self.entries) + 1}-0", [b"data", data]))

    def newest(self, _: Any, __: Topology, stream: str, count: int) -> Sequence[Entry]:
        self.read += 1
        return self.entries[-count:]

    def ends(self, _: Any, __: Topology, stream: str) -> Mapping[str, str]:
        return {stream: str(len(self.entries))}


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Streams:
    made = Streams()
    monkeypatch.setattr(recent, "newest", made.newest)
    monkeypatch.setattr(recent, "ends", made.ends)
    monkeypatch.setattr(recent, "event_streams", lambda *_: ["EVENTS"])
    return made


def looking(clock: Clock) -> Recent:
    return Recent(topology, None, now_s=clock)  # type: ignore[arg-type]


def test_events_are_read_once_a_second_and_only_where_there_are_more(streams: Streams) -> None:
    clock = Clock()
    found = looking(clock)
    streams.add("anomaly")
    assert len(found.incidents()) == 1
    streams.add("drift")
    assert len(found.incidents()) == 1
    clock.at_s += 1.0
    assert len(found.incidents()) == 2
    clock.at_s += 1.0
    assert len(found.incidents()) == 2
    assert streams.read == 2


def test_what_is_open_is_counted_with_the_worst_severity(streams: Streams) -> None:
    streams.add("anomaly", severity="low", worst="medium", status="update")
    streams.add("anomaly", incident="other", worst="critical", status="clear")
    assert looking(Clock()).attention(NOW_S) == {"open": 1, "worst": "medium"}
    streams.add("drift", severity="high", worst="high")
    assert looking(Clock()).attention(NOW_S) == {"open": 2, "worst": "high"}


def test_a_drift_is_open_for_a_day_and_an_anomaly_until_its_end(streams: Streams) -> None:
    streams.add("drift")
    streams.add("anomaly", status="ongoing")
    assert looking(Clock()).attention(NOW_S + DRIFT_OPEN_S)["open"] == 1
    streams.add("anomaly", status="clear")
    assert looking(Clock()).attention(NOW_S + DRIFT_OPEN_S) == {"open": 0, "worst": None}


def test_what_is_no_event_is_passed_over(streams: Streams) -> None:
    streams.entries.append(Entry("EVENTS", "1-0", [b"data", b"{}"]))
    assert looking(Clock()).incidents() == []
