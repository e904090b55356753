"""What an anomaly worker tells: incidents from open to clear, and who is guilty."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.anomaly_settings import NoveltySettings
from schemas.findings import AnomalyEvent, Severity, Status
from streams.entry import Entry
from tests.unit.workers.watchers import TOPOLOGY, anomalies, anomaly, entry, outputs


def storm(count: int = 600) -> list[Entry]:
    """Two sensors in turn; x of the first is beyond its limit from 400 to 440."""
    rng = np.random.default_rng(3)
    return [
        entry(
            number,
            "s1" if number % 2 else "s2",
            measurements={
                "x": float(rng.normal()) + (500.0 if number % 2 and 400 < number < 440 else 0.0),
                "y": float(rng.normal()),
            },
        )
        for number in range(count)
    ]


STORM = storm()


def of_x(events: Sequence[AnomalyEvent]) -> list[AnomalyEvent]:
    """The incident of x that began with the storm."""
    [first] = [each for each in events if each.message == "OK/1401-0"]
    return [each for each in events if each.incident == first.incident]


def test_a_storm_is_one_incident_from_open_to_clear() -> None:
    told = of_x(anomalies(anomaly().handle(STORM)))
    statuses = [each.status for each in told]
    assert statuses[0] is Status.OPEN
    assert statuses[-1] is Status.CLEAR
    assert statuses.count(Status.OPEN) == statuses.count(Status.CLEAR) == 1
    assert [each.count for each in told] == [*range(1, 21), 20]
    assert {each.first for each in told} == {"OK/1401-0"}
    assert {each.key for each in told} == {"s1"}
    assert Status.ONGOING in statuses


def test_an_incident_ends_after_quiet_rows_of_its_key_and_names_its_last_message() -> None:
    settled = anomaly().handle(STORM)
    [clear] = [each for each in of_x(anomalies(settled)) if each.status is Status.CLEAR]
    assert clear.message == "OK/1439-0"
    assert clear.at_ms == 1439 + 2 * 31  # every other row is of the key
    assert (clear.severity, clear.fields) == (clear.worst, ())
    [output] = [each for each in outputs(settled) if b'"clear"' in each.fields[1]]
    assert output.parents == ["OK/1439-0", "OK/1501-0"]


def test_a_long_storm_is_told_by_its_changes_alone() -> None:
    told = of_x(anomalies(anomaly(incidents=anomaly_incidents(each=3)).handle(STORM)))
    ongoing = [each.count for each in told if each.status is Status.ONGOING]
    assert set(ongoing) <= {2, 3}
    assert len(told) <= 8
    assert told[-1].count == 20


def anomaly_incidents(**changes: Any) -> Any:
    settings = TOPOLOGY.workers["anomaly"].detectors.incidents  # type: ignore[union-attr]
    return settings.model_copy(update=changes)


def test_an_event_says_which_field_is_guilty_and_what_would_have_been_usual() -> None:
    first = of_x(anomalies(anomaly().handle(STORM)))[0]
    assert first.field == "measurements.x"
    guilty = first.guilty[0]
    assert guilty.field == "measurements.x"
    assert guilty.share > 0.9
    assert guilty.low is not None
    assert guilty.high is not None
    assert guilty.low < 0.0 < guilty.high < 5.0
    assert guilty.nearest == guilty.high
    assert first.severity >= Severity.HIGH


@settings(max_examples=10, deadline=None)
@given(sizes=st.lists(st.integers(1, 200), max_size=12))
def test_any_split_gives_the_same_incidents_and_state(sizes: list[int]) -> None:
    whole, split = anomaly(), anomaly()
    expected = [each.outputs for each in whole.handle(STORM)]
    found, at = [], 0
    for size in [*sizes, len(STORM)]:
        found += [each.outputs for each in split.handle(STORM[at : at + size])]
        again = anomaly()
        again.restore(split.state())
        split, at = again, min(at + size, len(STORM))
    assert found == expected
    assert split.state() == whole.state()


def test_the_time_of_an_entry_reaches_the_watch() -> None:
    rng = np.random.default_rng(3)
    values = np.sin(np.arange(3000) * (2 * np.pi / 288)) + rng.normal(scale=0.1, size=3000)
    values[2500] += 4.0

    def scores(step_ms: int) -> list[float]:
        data = [entry(0, measurements={"x": value}).fields for value in values.tolist()]
        entries = [Entry("OK", f"{n * step_ms}-0", each) for n, each in enumerate(data)]
        found = anomalies(anomaly(novelty=NoveltySettings()).handle(entries))
        return [each.score for each in found if each.status is not Status.CLEAR]

    assert len(scores(300_000)) >= 1
    assert scores(300_000) != scores(7_000_000)  # the hours of the day are others
