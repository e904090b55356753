"""Incidents: storms collapse, and nothing depends on how rows are batched."""

from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.incidents import Finding, Incident, Incidents
from detectors.state import StateError, pack, unpack
from detectors.watch import AnomalyWatch
from schemas.anomaly_settings import AnomalySettings, IncidentSettings, NoveltySettings
from schemas.findings import Severity, Status

SMALL = IncidentSettings(quiet=20, max_open=3)
LEVELS = tuple(Severity)


def _keys(seed: int, n_rows: int = 400) -> list[str | None]:
    rng = np.random.default_rng(seed)
    return [[None, "k1", "k2"][rng.integers(3)] for _ in range(n_rows)]


def _findings(seed: int, n_rows: int = 400) -> list[Finding]:
    rng, keys = np.random.default_rng(seed), _keys(seed, n_rows)
    rows = np.flatnonzero(rng.random(n_rows) < 0.15).tolist()
    return [
        Finding(
            row,
            keys[row],
            "ab"[rng.integers(2)],
            LEVELS[rng.integers(4)],
            float(rng.random()),
            f"S/{row}-0",
            p_value=float(rng.random()),
        )
        for row in rows
    ]


def _fed(incidents: Incidents, seed: int, cuts: list[int]) -> list[tuple]:
    """Status, row counted over all calls, and incident, of each transition."""
    found, keys, changes = _findings(seed), _keys(seed), []
    for begin, end in pairwise([0, *sorted(cuts), len(keys)]):
        part = [each._replace(row=each.row - begin) for each in found if begin <= each.row < end]
        for status, row, incident, index in incidents.observe(part, keys[begin:end]):
            assert (index is None) is (status is Status.CLEAR)
            changes.append((status, begin + row, _plain(incident)))
    return changes


def _plain(incident: Incident) -> dict[str, object]:
    return {**asdict(incident), "key_row": None}  # a place among rows counted anew on restoring


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 9999), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_any_split_gives_the_same_transitions_and_state(seed: int, cuts: list[int]) -> None:
    whole, split = Incidents(SMALL), Incidents(SMALL)
    assert _fed(whole, seed, []) == _fed(split, seed, cuts)
    assert pack(whole.state()) == pack(split.state())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 9999), at=st.integers(0, 400))
def test_restored_incidents_go_on_as_the_original(seed: int, at: int) -> None:
    found, keys = _findings(seed), _keys(seed)
    original, restored = Incidents(SMALL), Incidents(SMALL)
    early = [each for each in found if each.row < at]
    late = [each._replace(row=each.row - at) for each in found if each.row >= at]
    original.observe(early, keys[:at])
    restored.restore(unpack(pack(original.state())))
    both = [each.observe(late, keys[at:]) for each in (restored, original)]
    plain = [[change._replace(incident=_plain(change.incident)) for change in one] for one in both]
    assert plain[0] == plain[1]
    assert pack(restored.state()) == pack(original.state())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 9999))
def test_every_incident_opens_once_and_clears_once(seed: int) -> None:
    incidents = Incidents(SMALL)
    changes = _fed(incidents, seed, [])
    changes += [
        (each.status, each.row, _plain(each.incident))
        for each in incidents.observe([], 100 * [None, "k1", "k2"])
    ]
    assert incidents.n_open == 0
    opened = [told["incident_id"] for status, _, told in changes if status is Status.OPEN]
    cleared = [told["incident_id"] for status, _, told in changes if status is Status.CLEAR]
    assert len(set(opened)) == len(opened)
    assert sorted(opened) == sorted(cleared)


def test_a_storm_of_a_thousand_findings_makes_a_handful_of_transitions() -> None:
    storm = [Finding(row, None, "t", LEVELS[min(3, row // 300)], 1.0) for row in range(1000)]
    changes = Incidents(IncidentSettings()).observe(storm, 2000 * [None])
    assert len(changes) == 1001
    news = [each for each in changes if each.status is not Status.ONGOING]
    assert [each.status.value for each in news] == ["open"] + 6 * ["update"] + ["clear"]
    assert news[-1].row == 999 + 201
    assert news[-1].incident.n_findings == 1000
    assert news[-1].incident.severity is Severity.CRITICAL
    assert len({each.incident.incident_id for each in changes}) == 1


def test_an_incident_waits_for_rows_of_its_own_key() -> None:
    incidents = Incidents(SMALL)
    incidents.observe([Finding(0, "pump", "t", Severity.LOW, 1.0)], ["pump"])
    assert incidents.observe([], 500 * ["other"]) == []
    [cleared] = incidents.observe([], 10 * ["other"] + 30 * ["pump"])
    assert (cleared.status, cleared.row) == (Status.CLEAR, 10 + 20)


def test_the_gravest_finding_is_kept_and_the_first_and_last_message() -> None:
    told = [(Severity.LOW, 0.01), (Severity.HIGH, 0.003), (Severity.HIGH, 0.001)]
    found = [
        Finding(row, None, "t", severity, 1.0, f"S/{row}-0", p_value=p_value)
        for row, (severity, p_value) in enumerate([*told, told[0]])
    ]
    last = Incidents(SMALL).observe(found, 4 * [None])[-1].incident
    assert (last.first, last.last, last.worst.message) == ("S/0-0", "S/3-0", "S/2-0")


def test_incidents_beyond_the_bound_clear_early_and_are_counted() -> None:
    incidents = Incidents(SMALL)
    found = [Finding(row, f"k{row}", "t", Severity.LOW, 1.0) for row in range(5)]
    changes = incidents.observe(found, [f"k{row}" for row in range(5)])
    cleared = [each.incident.key for each in changes if each.status is Status.CLEAR]
    assert cleared == ["k0", "k1"]
    assert (incidents.n_open, incidents.n_evicted) == (3, 2)


def test_the_id_follows_from_owner_key_field_and_first_message() -> None:
    def named(name: str = "", **changes: object) -> str:
        found = Finding(7, "k", "t", Severity.LOW, 1.0, "S/7-0")._replace(**changes)
        return Incidents(SMALL, name).observe([found], 10 * ["k"])[0].incident.incident_id

    assert named() == named(row=8)
    assert len(named()) == 16
    others = [named(message="S/8-0"), named(field="u"), named(name="anomaly")]
    assert len({named(), *others}) == 4


def test_damaged_states_are_refused() -> None:
    incidents = Incidents(SMALL)
    found = [Finding(row, f"k{row}", "t", Severity.LOW, 1.0) for row in range(3)]
    incidents.observe(found, [f"k{row}" for row in range(3)])
    state = incidents.state()
    (first, *_) = state["open"]  # type: ignore[misc]
    awful = {**first["worst"], "severity": "awful"}
    for damaged in ({**first, "worst": awful}, {**first, "n_findings": 0}):
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
    changes = Incidents().observe(found, 1000 * [None])
    news = [each.status.value for each in changes if each.status is not Status.ONGOING]
    assert len(found) >= 45
    assert news[:2] == ["open", "update"]
    assert len(news) <= 4
