"""Incidents: storms collapse, and nothing depends on how rows are batched."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.incidents import Change, Finding, Incidents
from detectors.state import StateError, pack, unpack
from detectors.watch import AnomalyWatch
from schemas.anomaly_settings import AnomalySettings, IncidentSettings, NoveltySettings
from schemas.findings import Severity

SMALL = IncidentSettings(quiet=20, max_open=3)
LEVELS = tuple(Severity)


def _findings(seed: int, n_rows: int = 400) -> list[Finding]:
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(n_rows) < 0.15).tolist()
    return [
        Finding(
            row,
            [None, "k1", "k2"][rng.integers(3)],
            "ab"[rng.integers(2)],
            LEVELS[rng.integers(4)],
            float(rng.random()),
        )
        for row in rows
    ]


def _fed(incidents: Incidents, found: list[Finding], cuts: list[int], n_rows: int = 400) -> list:
    changes = []
    for begin, end in pairwise([0, *sorted(cuts), n_rows]):
        part = [each._replace(row=each.row - begin) for each in found if begin <= each.row < end]
        changes += incidents.observe(part, end - begin)
    return changes


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 9999), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_any_split_gives_the_same_transitions_and_state(seed: int, cuts: list[int]) -> None:
    found, whole, split = _findings(seed), Incidents(SMALL), Incidents(SMALL)
    assert _fed(whole, found, []) == _fed(split, found, cuts)
    assert pack(whole.state()) == pack(split.state())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 9999), at=st.integers(0, 400))
def test_restored_incidents_go_on_as_the_original(seed: int, at: int) -> None:
    found, original, restored = _findings(seed), Incidents(SMALL), Incidents(SMALL)
    early = [each for each in found if each.row < at]
    late = [each._replace(row=each.row - at) for each in found if each.row >= at]
    original.observe(early, at)
    restored.restore(unpack(pack(original.state())))
    assert restored.observe(late, 400 - at) == original.observe(late, 400 - at)
    assert pack(restored.state()) == pack(original.state())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 9999))
def test_every_incident_opens_once_and_clears_once(seed: int) -> None:
    incidents = Incidents(SMALL)
    changes = _fed(incidents, _findings(seed), [])
    changes += incidents.observe([], 1000)
    assert incidents.n_open == 0
    opened = [each.incident.incident_id for each in changes if each.change is Change.OPEN]
    cleared = [each.incident.incident_id for each in changes if each.change is Change.CLEAR]
    assert len(set(opened)) == len(opened)
    assert sorted(opened) == sorted(cleared)
    assert [each.row for each in changes] == sorted(each.row for each in changes)


def test_a_storm_of_a_thousand_findings_makes_a_handful_of_transitions() -> None:
    storm = [Finding(row, None, "t", LEVELS[min(3, row // 300)], 1.0) for row in range(1000)]
    changes = Incidents(IncidentSettings()).observe(storm, 2000)
    assert [each.change.value for each in changes] == ["open"] + 6 * ["update"] + ["clear"]
    assert changes[-1].row == 999 + 201
    assert changes[-1].incident.n_findings == 1000
    assert changes[-1].incident.severity is Severity.CRITICAL
    assert len({each.incident.incident_id for each in changes}) == 1


def test_incidents_beyond_the_bound_clear_early_and_are_counted() -> None:
    incidents = Incidents(SMALL)
    found = [Finding(row, f"k{row}", "t", Severity.LOW, 1.0) for row in range(5)]
    changes = incidents.observe(found, 5)
    cleared = [each.incident.key for each in changes if each.change is Change.CLEAR]
    assert cleared == ["k0", "k1"]
    assert (incidents.n_open, incidents.n_evicted) == (3, 2)


def test_the_id_follows_from_key_field_and_first_row() -> None:
    found = Finding(7, "k", "t", Severity.LOW, 1.0)
    one = Incidents(SMALL).observe([found], 10)[0].incident.incident_id
    assert one == Incidents(SMALL).observe([found], 10)[0].incident.incident_id
    assert one != Incidents(SMALL).observe([found._replace(row=8)], 10)[0].incident.incident_id
    assert len(one) == 16


def test_damaged_states_are_refused() -> None:
    incidents = Incidents(SMALL)
    incidents.observe([Finding(row, f"k{row}", "t", Severity.LOW, 1.0) for row in range(3)], 5)
    state = incidents.state()
    (first, *_) = state["open"]  # type: ignore[misc]
    for damaged in ({**first, "severity": "awful"}, {**first, "n_findings": 0}):
        with pytest.raises(StateError):
            Incidents(SMALL).restore({**state, "open": [damaged]})
    with pytest.raises(StateError, match="max_open"):
        Incidents(IncidentSettings(max_open=2)).restore(state)


def test_verdicts_become_findings_by_their_guilty_field() -> None:
    x = np.random.default_rng(1).normal(size=(1000, 2))
    x[900:950, 1] += 50.0
    options = AnomalySettings(half_space_trees=None, robust_z=True, novelty=NoveltySettings())
    verdicts = [each for each in AnomalyWatch(options).observe(("a", "b"), x) if each.row >= 900]
    found = [Finding.of(verdict, None) for verdict in verdicts if verdict.row < 950]
    assert {each.field for each in found} == {"b"}
    changes = Incidents().observe(found, 1000)
    assert len(found) >= 45
    assert [each.change.value for each in changes[:2]] == ["open", "update"]
    assert len(changes) <= 4
